package decide

import (
	"fmt"
	"strings"

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
// The user's own words come first, then what would do harm, then what an agent needs.
var checks = []Check{
	containerIsIgnored,
	workloadIsSwitchedOff,
	containerIsInjected,
	systemIsWindows,
	otherAgentIsPresent,
	agentIsNotAskedFor,
	versionIsUnknown,
	templateRefuses,
	containerPasses,
	runtimeIsUnknown,
	languageHasNoAgent,
	versionIsUnsupported,
	libcIsUnsupported,
	processIsSecure,
	environmentIsTaken,
	jobHasNoRetries,
	pullSecretIsMissing,
	memoryIsShort,
	startIsTooSlow,
	agentFailedBefore,
}

// decide gives every container a method.
func decide(in Input) []odiv1.ContainerDecision {
	decisions := make([]odiv1.ContainerDecision, 0, len(in.Containers))
	for _, c := range in.Containers {
		v := judge(c)
		d := odiv1.ContainerDecision{Name: c.Name, Method: v.Method, Reason: v.Reason, Message: cut(v.Message)}
		if v.Method == odiv1.MethodAgent {
			d.Agent = c.Reference
			if v.Reason == odiv1.ReasonUnknownAgentVersion {
				d.Agent = c.Current.Agent
			}
		}
		decisions = append(decisions, d)
	}
	return decisions
}

// cut keeps a message within what the schema takes; names of images and versions are the users'.
func cut(message string) string {
	const most = 512
	if len(message) <= most {
		return message
	}
	return strings.ToValidUTF8(message[:most-3], "") + "..."
}

// judge is an agent where one is asked for and no check objects.
func judge(c Container) Verdict {
	for _, check := range checks {
		if v := check(c); v != nil {
			return *v
		}
	}
	return Verdict{odiv1.MethodAgent, odiv1.ReasonMethodAgent, fmt.Sprintf(
		"New pods get the agent %s@%s; eBPF serves those that are there until then.", c.Reference.Language, c.Reference.Version)}
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

// systemIsWindows: neither eBPF nor the agents know it.
func systemIsWindows(c Container) *Verdict {
	if !c.Windows {
		return nil
	}
	return &Verdict{odiv1.MethodNone, odiv1.ReasonWindows, "The pods run Windows, which odi does not instrument."}
}

// otherAgentIsPresent: its spans would be reported twice, and two agents in one process break it.
// A user who asks for eBPF by name has decided already.
func otherAgentIsPresent(c Container) *Verdict {
	switch {
	case c.Runtime.OtherAgent == "" || c.Wanted == odiv1.MethodEBPF:
		return nil
	case c.Wanted == odiv1.MethodAgent:
		return ebpf(odiv1.ReasonOtherAgentPresent, "%s already instruments this container, and two agents in one process break it: "+
			"eBPF instruments it; without %[1]s it gets odi's agent.", c.Runtime.OtherAgent)
	}
	return &Verdict{odiv1.MethodNone, odiv1.ReasonOtherAgentPresent,
		fmt.Sprintf("%s already instruments this container; method eBPF instruments it all the same.", c.Runtime.OtherAgent)}
}

// agentIsNotAskedFor: eBPF works for any language and restarts nothing.
func agentIsNotAskedFor(c Container) *Verdict {
	if c.Wanted == odiv1.MethodAgent {
		return nil
	}
	return ebpf(odiv1.ReasonMethodEBPF, "eBPF probes attach to the running processes; nothing restarts.")
}

// ebpf is what remains where there is no agent.
func ebpf(reason, format string, args ...any) *Verdict {
	return &Verdict{odiv1.MethodEBPF, reason, fmt.Sprintf(format, args...)}
}
