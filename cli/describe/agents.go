package describe

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/output"
)

// agentAnswer is what is printed about the agent of one container.
type agentAnswer struct {
	Container string `json:"container"`
	Runtime   string `json:"runtime,omitempty"`
	Method    string `json:"method"`
	Agent     string `json:"agent,omitempty"`
	// State is what odiglets see of it.
	State string `json:"state,omitempty"`
	// Reason of the method, and Message with what would change it.
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// withoutAgents are the reasons of workloads for which nobody asked for an agent.
var withoutAgents = []string{odiv1.ReasonMethodEBPF, odiv1.ReasonMethodNone, odiv1.ReasonContainerIgnored, odiv1.ReasonInjectedSidecar}

// agentsOf answers for each container, where an agent was asked for.
func agentsOf(iw *odiv1.InstrumentedWorkload) (answers []agentAnswer, rollout string) {
	if iw == nil {
		return nil, ""
	}
	asked := false
	for _, d := range iw.Spec.Containers {
		a := agentAnswer{Container: d.Name, Method: string(d.Method), Reason: d.Reason, Message: d.Message}
		if d.Agent.Language != "" {
			a.Agent = d.Agent.Language + "@" + d.Agent.Version
		}
		for _, s := range iw.Status.Containers {
			if s.Name == d.Name {
				a.Runtime = strings.TrimSpace(s.Runtime.Language + " " + s.Runtime.Version)
				a.State = string(s.Agent.State)
			}
		}
		asked = asked || !slices.Contains(withoutAgents, d.Reason)
		answers = append(answers, a)
	}
	if c := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionRolledOut); c != nil {
		asked = true
		rollout = fmt.Sprintf("%s, %d of %d pods with agents (%s): %s", iw.Status.Rollout.Phase, iw.Status.Rollout.Pods, iw.Status.Pods, c.Reason, c.Message)
	}
	if !asked {
		return nil, ""
	}
	return answers, rollout
}

func (w workloadAnswer) printAgents(out output.Page, format output.Format) error {
	if len(w.Agents) == 0 {
		return nil
	}
	t := output.Table{Columns: []string{"container", "runtime", "method", "agent", "state", "reason"}}
	for _, a := range w.Agents {
		t.Rows = append(t.Rows, []string{a.Container, a.Runtime, a.Method, a.Agent, a.State, a.Reason})
	}
	fmt.Fprintln(out)
	if err := t.Print(out, format); err != nil {
		return err
	}
	if w.Rollout != "" {
		out.Line("rollout: ", w.Rollout)
	}
	return nil
}
