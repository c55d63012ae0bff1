package facts

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestAgents(t *testing.T) {
	fact := func(agent string, state odiv1.AgentState, processes int32) odiv1.ContainerFact {
		return odiv1.ContainerFact{Container: "app", Pods: 1, Agent: odiv1.AgentFact{Agent: agent, State: state, Processes: processes}}
	}
	start := odiv1.StartFacts{Environment: []string{"JAVA_TOOL_OPTIONS"}, Memory: 7}
	withStart := odiv1.ContainerFact{Container: "app", Pods: 1, Start: start}
	for name, tc := range map[string]struct {
		facts     []odiv1.ContainerFact
		before    odiv1.StartFacts
		want      odiv1.AgentFact
		wantStart odiv1.StartFacts
	}{
		"no agent": {facts: []odiv1.ContainerFact{{Container: "app", Pods: 1}}},
		"one node": {facts: []odiv1.ContainerFact{fact("java@1", odiv1.AgentAlive, 2)}, want: odiv1.AgentFact{Agent: "java@1", State: odiv1.AgentAlive, Processes: 2}},
		"the worst of two": {facts: []odiv1.ContainerFact{fact("java@1", odiv1.AgentFailed, 1), fact("java@1", odiv1.AgentAlive, 2)},
			want: odiv1.AgentFact{Agent: "java@1", State: odiv1.AgentFailed, Processes: 3}},
		"a node that sees none says nothing": {facts: []odiv1.ContainerFact{fact("", "", 0), fact("java@1", odiv1.AgentAlive, 1)},
			want: odiv1.AgentFact{Agent: "java@1", State: odiv1.AgentAlive, Processes: 1}},
		"two versions, of which one fails": {facts: []odiv1.ContainerFact{fact("java@2", odiv1.AgentFailed, 1), fact("java@1", odiv1.AgentAlive, 1)},
			want: odiv1.AgentFact{Agent: "java@2", State: odiv1.AgentFailed, Processes: 1}},
		"what starts without agent are like": {facts: []odiv1.ContainerFact{withStart, {Container: "app", Start: odiv1.StartFacts{Environment: []string{"A"}, Secure: true, Memory: 9}}},
			wantStart: odiv1.StartFacts{Environment: []string{"A", "JAVA_TOOL_OPTIONS"}, Secure: true, Memory: 9}},
		"what starts were like is kept when every pod has an agent": {facts: []odiv1.ContainerFact{fact("java@1", odiv1.AgentAlive, 1)}, before: start,
			want: odiv1.AgentFact{Agent: "java@1", State: odiv1.AgentAlive, Processes: 1}, wantStart: start},
		"without agents it is as it is now": {facts: []odiv1.ContainerFact{{Container: "app", Pods: 1, Start: odiv1.StartFacts{Memory: 3}}}, before: start,
			wantStart: odiv1.StartFacts{Memory: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			in := Input{Before: []odiv1.ContainerStatus{{Name: "app", Start: tc.before}}}
			for _, f := range tc.facts {
				in.Nodes = append(in.Nodes, Node{Facts: []odiv1.ContainerFact{f}})
			}
			got := fold(in).Containers[0]
			if diff := cmp.Diff(tc.want, got.Agent); diff != "" {
				t.Errorf("agent (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantStart, got.Start); diff != "" {
				t.Errorf("start (-want +got):\n%s", diff)
			}
		})
	}
}

// A shell that starts the application is the first process of many containers.
func TestRuntimeStaysKnownWhileAPodWithAnAgentStarts(t *testing.T) {
	shell := Node{Facts: []odiv1.ContainerFact{{Container: "app", Pods: 1, Processes: 1}}}
	other := Node{Facts: []odiv1.ContainerFact{{Container: "app", Pods: 1, Processes: 1, Runtime: goRuntime}}}
	for name, tc := range map[string]struct {
		decision odiv1.ContainerDecision
		now      Node
		want     odiv1.Runtime
	}{
		"an agent was decided":              {decision: odiv1.ContainerDecision{Name: "app", Method: odiv1.MethodAgent}, now: shell, want: javaRuntime},
		"one that failed was taken back":    {decision: odiv1.ContainerDecision{Name: "app", Method: odiv1.MethodEBPF, Reason: odiv1.ReasonAgentFailedBefore}, now: shell, want: javaRuntime},
		"of another container":              {decision: odiv1.ContainerDecision{Name: "side", Method: odiv1.MethodAgent}, now: shell},
		"eBPF asks for no language":         {decision: odiv1.ContainerDecision{Name: "app", Method: odiv1.MethodEBPF}, now: shell},
		"the new image has another runtime": {decision: odiv1.ContainerDecision{Name: "app", Method: odiv1.MethodAgent}, now: other, want: goRuntime},
	} {
		t.Run(name, func(t *testing.T) {
			got := fold(Input{
				Decisions: []odiv1.ContainerDecision{tc.decision}, Nodes: []Node{tc.now},
				Before: []odiv1.ContainerStatus{{Name: "app", Runtime: javaRuntime}},
			})
			if diff := cmp.Diff(tc.want, got.Containers[0].Runtime); diff != "" {
				t.Errorf("runtime (-want +got):\n%s", diff)
			}
		})
	}
}
