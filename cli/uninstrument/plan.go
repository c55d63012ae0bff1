package uninstrument

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/selected"
)

// step is what is to be done.
type step struct {
	// remove are configs about the wish alone that nothing wider stands behind.
	remove []odiv1.InstrumentationConfig
	// switchOff is the config that says None where a wider one selects the workload;
	// exists says whether it is changed or created.
	switchOff *odiv1.InstrumentationConfig
	exists    bool
	// note tells the user about configs that are left alone.
	note string
}

// removed names the configs that are removed.
func (s step) removed() []string {
	names := make([]string, 0, len(s.remove))
	for _, config := range s.remove {
		names = append(names, config.Name)
	}
	return names
}

// plan decides from the configs of the namespace. own are the workload's labels.
func plan(wish selected.Wish, own map[string]string, configs []odiv1.InstrumentationConfig) (step, error) {
	var mine, others []odiv1.InstrumentationConfig
	for _, config := range configs {
		isMine := isAbout(config.Spec.Target, wish)
		isOn := config.Spec.Method != odiv1.MethodNone
		matches, err := selects(config.Spec.Target, wish, own)
		switch {
		case err != nil:
			return step{}, fmt.Errorf("reading the selector of InstrumentationConfig %s: %w", config.Name, err)
		case isMine:
			mine = append(mine, config)
		case isOn && matches:
			others = append(others, config)
		}
	}
	if len(others) == 0 {
		return step{remove: mine}, nil
	}
	wider := "InstrumentationConfig " + others[0].Name
	if wish.Kind == "" {
		return step{remove: mine, note: wider + " still selects workloads of it"}, nil
	}
	s := step{note: wider + " selects it, so it is switched off by a config of its own"}
	if len(mine) == 0 {
		s.switchOff = wish.Config(odiv1.MethodNone)
		return s, nil
	}
	if mine[0].Spec.Method == odiv1.MethodNone {
		return step{note: "InstrumentationConfig " + mine[0].Name + " has switched it off already"}, nil
	}
	s.switchOff, s.exists = mine[0].DeepCopy(), true
	s.switchOff.Spec.Method = odiv1.MethodNone
	return s, nil
}

// isAbout says whether a config is about the wish and nothing else.
func isAbout(target odiv1.Target, wish selected.Wish) bool {
	if target.Selector != nil {
		return false
	}
	return target.Kind == wish.Kind && (wish.Kind == "" || target.Name == wish.Name)
}

// selects says whether a config selects the wish, or for a namespace anything in it.
func selects(target odiv1.Target, wish selected.Wish, own map[string]string) (bool, error) {
	if wish.Kind == "" {
		return true, nil
	}
	if target.Selector != nil {
		selector, err := metav1.LabelSelectorAsSelector(target.Selector)
		if err != nil {
			return false, err
		}
		return selector.Matches(labels.Set(own)), nil
	}
	return target.Kind == "" || target.Kind == wish.Kind && target.Name == wish.Name, nil
}
