package node

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/odiglet/attach"
)

// agentDecision is one for cart's app, watched until a time.
func agentDecision(version string, until time.Time) decided {
	spec := decision("app", odiv1.MethodAgent)
	spec.Containers[0].Agent = odiv1.AgentReference{Language: "python", Version: version}
	spec.Rollout = &odiv1.RolloutPlan{WatchUntil: metav1.NewTime(until)}
	return readWorkload(&odiv1.InstrumentedWorkload{Spec: *spec})
}

func TestAnswersAreToldWhileTheyAreWatched(t *testing.T) {
	begin := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	c := withAgents()
	c.setWorkload(cart, agentDecision("1", begin.Add(time.Minute)))
	count := func(env map[string]string, failed bool, at time.Duration) {
		t.Helper()
		in := agentInstance("c-cart", nil)
		o, ok := c.Origin(in.Process, in.Runtime, env)
		if !ok {
			t.Fatal("no origin")
		}
		o.Answers.Count(failed, 1, begin.Add(at))
	}
	want := func(why string, at time.Duration, want ...odiv1.Answers) {
		t.Helper()
		facts, _ := c.facts([]attach.Instance{}, begin.Add(at))
		if diff := cmp.Diff(want, facts[0].Answers); diff != "" {
			t.Errorf("%s (-want +got):\n%s", why, diff)
		}
	}
	agent := map[string]string{"ODI_AGENT": "python@1"}
	count(nil, false, 0)
	count(agent, true, 1)
	count(agent, false, 2)
	count(map[string]string{"ODI_AGENT": "python@0"}, false, 3)
	one := odiv1.Answers{At: metav1.NewTime(begin), Agent: 2, AgentFailed: 1, Plain: 2}
	want("what is not over", 4*time.Second)
	want("an older agent is not the one that is watched", 5*time.Second, one)

	c.setWorkload(cart, agentDecision("1", begin.Add(10*time.Second)))
	want("not watched any more", 11*time.Second)
	c.setWorkload(cart, agentDecision("2", begin.Add(time.Minute)))
	want("another agent begins anew", 11*time.Second)
	if len(c.answers.books) != 1 || c.answers.keep(c.agentsOfWorkloads(begin)) || len(c.answers.books) != 0 {
		t.Error("what the agent before answered is kept")
	}
	count(nil, false, 12*time.Second)
	if !c.answers.keep(c.agentsOfWorkloads(begin)) || c.answers.keep(c.agentsOfWorkloads(begin.Add(time.Minute))) {
		t.Error("it is watched for a minute")
	}
}

func TestOnlyDecisionsThatDifferAreNews(t *testing.T) {
	news := 0
	c := newCluster("n1", func() { news++ })
	until := time.Now()
	c.setWorkload(cart, agentDecision("1", until))
	c.setWorkload(cart, agentDecision("1", until))
	if news != 1 {
		t.Errorf("told %d times of one decision", news)
	}
	c.setWorkload(cart, agentDecision("2", until))
	c.setWorkload(cart, agentDecision("2", until.Add(time.Second)))
	if news != 3 {
		t.Errorf("told %d times of three decisions", news)
	}
}
