package facts

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// answered is a slice of five seconds that began so many seconds after noon.
func answered(second int, agent, agentFailed, plain, plainFailed int64) odiv1.Answers {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	return odiv1.Answers{
		At:    metav1.NewTime(noon.Add(time.Duration(second) * time.Second)),
		Agent: agent, AgentFailed: agentFailed, Plain: plain, PlainFailed: plainFailed,
	}
}

func TestAnswers(t *testing.T) {
	fact := func(answers ...odiv1.Answers) odiv1.ContainerFact {
		return odiv1.ContainerFact{Container: "app", Pods: 1, Runtime: goRuntime, Answers: answers}
	}
	old := answered(-300, 0, 0, 50, 2)
	for name, tc := range map[string]struct {
		nodes      []Node
		method     odiv1.Method
		before     *odiv1.Answers
		want       []odiv1.Answers
		wantBefore *odiv1.Answers
	}{
		"nobody tells": {nodes: []Node{node(fact())}, method: odiv1.MethodAgent},
		"two nodes of the same seconds": {
			nodes:  []Node{node(fact(answered(0, 0, 0, 3, 1), answered(10, 0, 0, 4, 0))), node(fact(answered(5, 2, 2, 1, 0), answered(10, 7, 6, 0, 0)))},
			method: odiv1.MethodAgent,
			want:   []odiv1.Answers{answered(0, 0, 0, 3, 1), answered(5, 2, 2, 1, 0), answered(10, 7, 6, 4, 0)},
		},
		"a node that does not tell any more": {
			nodes: []Node{node(fact(answered(0, 9, 9, 9, 9))), node(fact(answered(80, 0, 0, 1, 0)))}, method: odiv1.MethodAgent,
			want: []odiv1.Answers{answered(80, 0, 0, 1, 0)},
		},
		"what pods answered before any had an agent": {
			nodes: []Node{node(fact(answered(0, 0, 0, 15, 1), answered(5, 0, 0, 15, 0), answered(10, 5, 0, 90, 90)))}, method: odiv1.MethodAgent,
			want:       []odiv1.Answers{answered(0, 0, 0, 15, 1), answered(5, 0, 0, 15, 0), answered(10, 5, 0, 90, 90)},
			wantBefore: new(answered(5, 0, 0, 30, 1)),
		},
		"it is remembered": {
			nodes: []Node{node(fact(answered(10, 5, 0, 9, 9)))}, method: odiv1.MethodAgent, before: &old,
			want: []odiv1.Answers{answered(10, 5, 0, 9, 9)}, wantBefore: &old,
		},
		"also while no pod runs": {method: odiv1.MethodAgent, before: &old, wantBefore: &old},
		"until no agent is wanted": {
			nodes: []Node{node(fact(answered(0, 0, 0, 99, 0)))}, method: odiv1.MethodEBPF, before: &old, want: []odiv1.Answers{answered(0, 0, 0, 99, 0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := fold(Input{
				Nodes: tc.nodes, Decisions: []odiv1.ContainerDecision{{Name: "app", Method: tc.method}},
				Before: []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Before: tc.before}},
			}).Containers[0]
			if diff := cmp.Diff(tc.want, got.Answers); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantBefore, got.Before); diff != "" {
				t.Errorf("before (-want +got):\n%s", diff)
			}
		})
	}
}
