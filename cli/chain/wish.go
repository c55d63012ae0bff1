package chain

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// notSelected is about a workload that odi has made nothing of. Who has wished for it
// already is not told to wish for it.
func notSelected(in Input) Step {
	s := Step{Name: "Selected", State: Broken}
	config := wishFor(in.Workload, in.Configs)
	if config == nil {
		s.Text = "No InstrumentationConfig selects it."
		s.Todo = "to select it: " + instrument(in.Workload)
		return s
	}
	text, broken := Refused(config)
	if broken {
		s.Text, s.Todo = text, show(config)
		return s
	}
	s.State = Waiting
	s.Text = fmt.Sprintf("InstrumentationConfig %s selects it, and the manager has not taken it up yet.", config.Name)
	s.Todo = "wait a few seconds and look again"
	return s
}

// NoWorkload says why nothing of a namespace is instrumented.
func NoWorkload(namespace string, in Input) string {
	if in.ManagerProblem != "" {
		return Why([]Step{selected(in)})
	}
	if in.Never != "" {
		return in.Never + "."
	}
	for i := range in.Configs {
		if why, refused := Refused(&in.Configs[i]); refused {
			return strings.TrimSuffix(why, ".") + "; " + show(&in.Configs[i])
		}
	}
	if len(in.Configs) == 0 {
		return "No InstrumentationConfig selects a workload of it; to select all of them: odi instrument namespace/" + namespace
	}
	return "Its InstrumentationConfigs select no workload that is there, or the manager has not taken them up yet; to see them: kubectl -n " + namespace + " get ic"
}

// Refused says why a config does nothing; false when it does something, or nobody has looked at it yet.
func Refused(config *odiv1.InstrumentationConfig) (why string, refused bool) {
	ready := meta.FindStatusCondition(config.Status.Conditions, odiv1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionFalse || ready.ObservedGeneration < config.Generation {
		return "", false
	}
	return fmt.Sprintf("InstrumentationConfig %s is not ready (%s): %s", config.Name, ready.Reason, ready.Message), true
}

// show is the command that shows a config.
func show(config *odiv1.InstrumentationConfig) string {
	return fmt.Sprintf("to see it: kubectl -n %s get ic %s -o yaml", config.Namespace, config.Name)
}

// wishFor is the config that selects a workload by name, else one for all of its namespace;
// nil when there is none. Labels are not looked at: what they select is in the Object.
func wishFor(ref workload.Reference, configs []odiv1.InstrumentationConfig) *odiv1.InstrumentationConfig {
	var wide *odiv1.InstrumentationConfig
	for i := range configs {
		config := &configs[i]
		on := config.Spec.Method != odiv1.MethodNone
		switch target := config.Spec.Target; {
		case target.Name != "":
			if target.Kind == ref.Kind && target.Name == ref.Name && on {
				return config
			}
		case target.Selector == nil && on && wide == nil:
			wide = config
		}
	}
	return wide
}

// howToSwitchOn is for a workload of which no container is instrumented.
func howToSwitchOn(in Input) string {
	ref := workload.In(in.Object.Namespace, in.Object.Spec.Workload)
	switch in.Object.Spec.Containers[0].Reason {
	case odiv1.ReasonOtherAgentPresent:
		return "to instrument it all the same: " + instrument(ref) + " --method eBPF"
	case odiv1.ReasonMethodNone:
		if config := insists(in, ref); config != nil {
			return fmt.Sprintf("to switch it on, change that config: kubectl -n %s edit ic %s", config.Namespace, config.Name)
		}
		return "to switch it on: " + instrument(ref)
	}
	return ""
}

// insists is the config that keeps a workload off also after `odi instrument`: one by somebody
// else that names the workload, or one that speaks of its containers.
func insists(in Input, ref workload.Reference) *odiv1.InstrumentationConfig {
	i := slices.IndexFunc(in.Configs, func(c odiv1.InstrumentationConfig) bool { return c.Name == in.Object.Spec.Config })
	if i < 0 {
		return nil
	}
	config := &in.Configs[i]
	if len(config.Spec.Containers) > 0 || config.Spec.Target.Name != "" && config.Name != ref.ObjectName() {
		return config
	}
	return nil
}

// instrument is the command that selects a workload; one of another controller goes with its namespace.
func instrument(ref workload.Reference) string {
	if !workload.IsBuiltin(ref.Kind) {
		return "odi instrument namespace/" + ref.Namespace
	}
	return fmt.Sprintf("odi instrument %s/%s -n %s", strings.ToLower(string(ref.Kind)), ref.Name, ref.Namespace)
}
