package uninstrument

import (
	"fmt"
	"strings"

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
	// byHand are configs about the wish alone that odi did not make, and that are left alone.
	byHand []odiv1.InstrumentationConfig
	// note tells the user about configs that are left alone.
	note string
	// suffix ends each sentence about what was done.
	suffix string
}

// empty says that there is nothing to do and nothing to say.
func (s step) empty() bool {
	return len(s.remove) == 0 && s.switchOff == nil && len(s.byHand) == 0 && s.note == ""
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
// What odi did not make goes only when all of it was asked for.
func plan(wish selected.Wish, own map[string]string, configs []odiv1.InstrumentationConfig, all bool) (step, error) {
	var mine, byHand, others []odiv1.InstrumentationConfig
	for _, config := range configs {
		matches, err := selects(config.Spec.Target, wish, own)
		if err != nil {
			return step{}, fmt.Errorf("reading the selector of InstrumentationConfig %s: %w", config.Name, err)
		}
		isOn := config.Spec.Method != odiv1.MethodNone
		switch {
		case isAbout(config.Spec.Target, wish) && may(wish, config, all):
			mine = append(mine, config)
		case isOn && isAbout(config.Spec.Target, wish):
			byHand = append(byHand, config)
		case isOn && matches:
			others = append(others, config)
		}
	}
	s := decide(wish, mine, others)
	s.byHand = byHand
	return s, nil
}

// may says whether a config about the wish can be removed or changed. One by somebody else
// that switches a workload off is looked at, and one that switches a namespace off left.
func may(wish selected.Wish, config odiv1.InstrumentationConfig, all bool) bool {
	if madeBy(config) == odi {
		return true
	}
	if config.Spec.Method == odiv1.MethodNone {
		return wish.Kind != ""
	}
	return all
}

// decide is about configs that may be removed or changed, and others that select the wish, too.
func decide(wish selected.Wish, mine, others []odiv1.InstrumentationConfig) step {
	if wish.Kind != "" && len(mine) > 0 && mine[0].Spec.Method == odiv1.MethodNone && madeBy(mine[0]) != odi {
		return step{note: "InstrumentationConfig " + mine[0].Name + " has switched it off already"}
	}
	if len(others) == 0 {
		return step{remove: mine}
	}
	wider := list(others)
	if wish.Kind == "" {
		return step{remove: mine, note: wider + " still " + verb(others, "selects", "select") + " workloads of it"}
	}
	s := step{note: wider + " " + verb(others, "selects", "select") + " it, so it is switched off by a config of its own"}
	if len(mine) == 0 {
		s.switchOff = wish.Config(odiv1.MethodNone)
		return s
	}
	if mine[0].Spec.Method == odiv1.MethodNone {
		return step{note: "InstrumentationConfig " + mine[0].Name + " has switched it off already"}
	}
	s.switchOff, s.exists = mine[0].DeepCopy(), true
	s.switchOff.Spec.Method = odiv1.MethodNone
	return s
}

// list names configs for people.
func list(configs []odiv1.InstrumentationConfig) string {
	names := make([]string, 0, len(configs))
	for _, config := range configs {
		names = append(names, config.Name)
	}
	return verb(configs, "InstrumentationConfig ", "InstrumentationConfigs ") + strings.Join(names, ", ")
}

func verb(configs []odiv1.InstrumentationConfig, one, several string) string {
	if len(configs) == 1 {
		return one
	}
	return several
}

// odi is the field manager of what `odi instrument` writes.
const odi = "odi"

// madeBy is who wrote a config: odi where it wrote any of it, else the first of the others.
func madeBy(config odiv1.InstrumentationConfig) string {
	maker := ""
	for _, entry := range config.ManagedFields {
		if entry.Subresource != "" {
			continue
		}
		if entry.Manager == odi {
			return odi
		}
		if maker == "" {
			maker = entry.Manager
		}
	}
	return maker
}

// isAbout says whether a config is about the wish and nothing else.
func isAbout(target odiv1.Target, wish selected.Wish) bool {
	if target.Selector != nil {
		return false
	}
	// The kind of another controller may be typed in small letters.
	return strings.EqualFold(string(target.Kind), string(wish.Kind)) && (wish.Kind == "" || target.Name == wish.Name)
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
