package selection

import (
	"cmp"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// plan is what one namespace should look like.
type plan struct {
	selections []selection
	// deselected were selected before and are not any more.
	deselected []odiv1.InstrumentedWorkload
	outcomes   []outcome
}

// selection is one workload and the config that won it.
type selection struct {
	workload kube.Workload
	config   *odiv1.InstrumentationConfig
	why      string
}

// outcome is what one config came to.
type outcome struct {
	config       *odiv1.InstrumentationConfig
	matched      int32 // workloads that its target fits
	won          int32 // of them, those that no other config took
	instrumented int32 // of those, the ones that produce telemetry
	// stronger are the configs that took the others, by name.
	stronger []string
	// older is the one for the same target that counts instead of this; younger are those that this counts for.
	older   string
	younger []string
	ready   verdict
}

// verdict is the Ready condition of a config.
type verdict struct {
	status  metav1.ConditionStatus
	reason  string
	message string
}

// decide gives every workload to the most specific config that matches it.
func decide(in input) plan {
	targets := targetsOf(in)
	selected := map[workload.Reference]bool{}
	var p plan
	for _, w := range in.workloads {
		var winner *target
		for _, t := range targets {
			if !t.matches(w) {
				continue
			}
			t.outcome.matched++
			if winner == nil {
				winner = t
				continue
			}
			t.outcome.lostTo(winner.config.Name)
		}
		if winner == nil {
			continue
		}
		winner.outcome.won++
		selected[w.Reference] = true
		p.selections = append(p.selections, selection{workload: w, config: winner.config, why: winner.why()})
	}
	for _, iw := range in.existing {
		ref := workload.In(in.namespace, iw.Spec.Workload)
		if !selected[ref] || iw.Name != ref.ObjectName() {
			p.deselected = append(p.deselected, iw)
		}
	}
	p.outcomes = outcomesOf(in, targets)
	return p
}

// lostTo remembers who took a workload.
func (o *outcome) lostTo(config string) {
	if !slices.Contains(o.stronger, config) {
		o.stronger = append(o.stronger, config)
	}
}

// target is a config that is ready to be matched with workloads.
type target struct {
	config   *odiv1.InstrumentationConfig
	selector labels.Selector
	invalid  error
	excluded bool
	outcome  outcome
}

// targetsOf sorts the configs by precedence, the strongest first.
func targetsOf(in input) []*target {
	targets := make([]*target, len(in.configs))
	for i := range in.configs {
		config := &in.configs[i]
		t := &target{config: config, excluded: in.excluded, outcome: outcome{config: config}}
		if config.Spec.Target.Selector != nil {
			t.selector, t.invalid = metav1.LabelSelectorAsSelector(config.Spec.Target.Selector)
		}
		targets[i] = t
	}
	slices.SortFunc(targets, func(a, b *target) int {
		return cmp.Or(
			cmp.Compare(b.specificity(), a.specificity()),
			// Of equals the older wins, so that a new config never takes a workload by surprise.
			a.config.CreationTimestamp.Compare(b.config.CreationTimestamp.Time),
			cmp.Compare(a.config.Name, b.config.Name),
		)
	})
	return targets
}

// specificity orders targets: by name, by labels, the whole namespace.
func (t *target) specificity() int {
	switch {
	case t.config.Spec.Target.Name != "":
		return 2
	case t.config.Spec.Target.Selector != nil:
		return 1
	}
	return 0
}

func (t *target) matches(w kube.Workload) bool {
	want := t.config.Spec.Target
	switch {
	case t.excluded || t.invalid != nil:
		return false
	case want.Name != "":
		return want.Kind == w.Kind && want.Name == w.Name
	case t.selector != nil:
		return t.selector.Matches(labels.Set(w.Object.GetLabels()))
	}
	return true
}

func (t *target) why() string {
	name := t.config.Name
	switch t.specificity() {
	case 2:
		return fmt.Sprintf("InstrumentationConfig %s names this workload.", name)
	case 1:
		return fmt.Sprintf("InstrumentationConfig %s selects this workload by its labels.", name)
	}
	return fmt.Sprintf("InstrumentationConfig %s selects every workload of the namespace.", name)
}
