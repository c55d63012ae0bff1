package decide

import (
	"fmt"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Check looks at one container only and never at the cluster. It returns nil
// when it has nothing to say.
type Check func(Container) *Verdict

// Verdict is a method and why.
type Verdict struct {
	Method  odiv1.Method
	Reason  string
	Message string
}

// checks run in order; the first that objects decides and names the reason that users see.
// The user's own words come first, then what would do harm, then what odi cannot do yet.
var checks = []Check{
	containerIsIgnored,
	workloadIsSwitchedOff,
	containerIsInjected,
	otherAgentIsPresent,
	agentIsNotAvailable,
}

// decide gives every container a method. eBPF is what remains when no check
// objects: it works for any language and restarts nothing.
func decide(in Input) []odiv1.ContainerDecision {
	decisions := make([]odiv1.ContainerDecision, 0, len(in.Containers))
	for _, c := range in.Containers {
		v := judge(c)
		decisions = append(decisions, odiv1.ContainerDecision{Name: c.Name, Method: v.Method, Reason: v.Reason, Message: v.Message})
	}
	return decisions
}

func judge(c Container) Verdict {
	for _, check := range checks {
		if v := check(c); v != nil {
			return *v
		}
	}
	return Verdict{odiv1.MethodEBPF, odiv1.ReasonMethodEBPF, "eBPF probes attach to the running processes; nothing restarts."}
}

// containerIsIgnored: the user switched off this one container.
func containerIsIgnored(c Container) *Verdict {
	if !c.Overridden || c.Wanted != odiv1.MethodNone {
		return nil
	}
	return &Verdict{odiv1.MethodNone, odiv1.ReasonContainerIgnored,
		fmt.Sprintf("InstrumentationConfig %s switches this container off (spec.containers).", c.Config)}
}

// workloadIsSwitchedOff: the user switched off the whole workload, and this container is no exception.
func workloadIsSwitchedOff(c Container) *Verdict {
	if c.Wanted != odiv1.MethodNone {
		return nil
	}
	return &Verdict{odiv1.MethodNone, odiv1.ReasonMethodNone,
		fmt.Sprintf("InstrumentationConfig %s switches this workload off (spec.method).", c.Config)}
}

// containerIsInjected: a mesh proxy or the like, which the owner of the workload
// did not ask for and whose requests are those of the container beside it.
func containerIsInjected(c Container) *Verdict {
	if c.InTemplate || c.Overridden {
		return nil
	}
	return &Verdict{odiv1.MethodNone, odiv1.ReasonInjectedSidecar,
		"The workload's pod template does not have this container: it was injected, or added to debug; name it in spec.containers to instrument it."}
}

// otherAgentIsPresent: its spans would be reported twice. A user who asks for
// a method by name has decided already.
func otherAgentIsPresent(c Container) *Verdict {
	if c.Runtime.OtherAgent == "" || c.Wanted != odiv1.MethodAuto {
		return nil
	}
	return &Verdict{odiv1.MethodNone, odiv1.ReasonOtherAgentPresent,
		fmt.Sprintf("%s already instruments this container; method eBPF instruments it all the same.", c.Runtime.OtherAgent)}
}

// agentIsNotAvailable: eBPF serves until odi brings language agents.
func agentIsNotAvailable(c Container) *Verdict {
	if c.Wanted != odiv1.MethodAgent {
		return nil
	}
	return &Verdict{odiv1.MethodEBPF, odiv1.ReasonAgentsUnavailable,
		"This version of odi has no language agents yet; eBPF instruments the container instead."}
}
