package selected

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// TestItemsWaitForAgents: nobody is done before the agents of a workload are as its config asks.
func TestItemsWaitForAgents(t *testing.T) {
	const name = "deployment-cart"
	for what, tc := range map[string]struct {
		asked, decided odiv1.Method
		phase, reason  string
		done, failed   bool
		text           string
	}{
		"eBPF alone":                         {asked: odiv1.MethodAuto, decided: odiv1.MethodEBPF, done: true, text: "instrumented (java 17, eBPF)"},
		"asked for, not decided":             {asked: odiv1.MethodAgent, decided: odiv1.MethodEBPF, text: "waits for its language"},
		"decided, no plan yet":               {asked: odiv1.MethodAgent, decided: odiv1.MethodAgent, text: "agents are about to come"},
		"on its way":                         {asked: odiv1.MethodAgent, decided: odiv1.MethodAgent, phase: odiv1.PhaseCanary, reason: odiv1.ReasonCanary, text: "Canary"},
		"there":                              {asked: odiv1.MethodAgent, decided: odiv1.MethodAgent, phase: odiv1.PhaseDone, reason: odiv1.ReasonRolledOut, done: true, text: "Done"},
		"rolled back":                        {asked: odiv1.MethodAgent, decided: odiv1.MethodEBPF, phase: odiv1.PhaseRolledBack, reason: odiv1.ReasonCrashLoop, failed: true, text: "rolled back"},
		"not asked for any more":             {asked: odiv1.MethodAuto, decided: odiv1.MethodAgent, phase: odiv1.PhaseDone, reason: odiv1.ReasonRolledOut, text: "about to go"},
		"not decided any more, pods have it": {asked: odiv1.MethodAuto, decided: odiv1.MethodEBPF, phase: odiv1.PhaseDone, reason: odiv1.ReasonRolledOut, done: false, text: "about to go"},
		"going":                              {asked: odiv1.MethodAuto, decided: odiv1.MethodEBPF, phase: odiv1.PhaseRollingBack, reason: odiv1.ReasonRemovingAgents, text: "RollingBack"},
		"going when the user says":           {asked: odiv1.MethodAuto, decided: odiv1.MethodEBPF, phase: odiv1.PhaseRollingBack, reason: odiv1.ReasonRolloutManual, done: true, text: "RollingBack"},
	} {
		t.Run(what, func(t *testing.T) {
			config := odiv1.InstrumentationConfig{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: odiv1.InstrumentationConfigSpec{Method: tc.asked}}
			iw := odiv1.InstrumentedWorkload{Spec: odiv1.InstrumentedWorkloadSpec{
				Workload: odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: "cart"}, Config: name,
				Containers: []odiv1.ContainerDecision{{Name: "cart", Method: tc.decided, Reason: odiv1.ReasonMethodEBPF}},
			}}
			iw.Status.Runtimes, iw.Status.Methods = "java 17", string(tc.decided)
			iw.Status.Rollout.Phase = tc.phase
			iw.Status.Conditions = []metav1.Condition{{Type: odiv1.ConditionInstrumented, Status: metav1.ConditionTrue}}
			if tc.reason != "" {
				iw.Status.Conditions = append(iw.Status.Conditions, metav1.Condition{Type: odiv1.ConditionRolledOut, Reason: tc.reason, Message: "Why."})
			}
			items := Items(Wish{}, State{Complete: true, Config: config, Workloads: []odiv1.InstrumentedWorkload{iw}})
			if len(items) != 1 {
				t.Fatalf("%d items", len(items))
			}
			if got := items[0]; got.Done != tc.done || got.Failed != tc.failed || !strings.Contains(got.Text, tc.text) {
				t.Errorf("done %t, failed %t, %q; want %t, %t, %q", got.Done, got.Failed, got.Text, tc.done, tc.failed, tc.text)
			}
		})
	}
}

// TestAConfigThatDoesNothingIsNotWaitedFor: somebody else's counts, or the namespace is excluded.
func TestAConfigThatDoesNothingIsNotWaitedFor(t *testing.T) {
	for reason, failed := range map[string]bool{
		odiv1.ReasonOverridden: true, odiv1.ReasonNamespaceExcluded: true, odiv1.ReasonInvalidConfig: true, odiv1.ReasonWorkloadNotFound: false,
	} {
		config := odiv1.InstrumentationConfig{}
		config.Status.Conditions = []metav1.Condition{{Type: odiv1.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, Message: "Why not."}}
		items := Items(Wish{}, State{Complete: true, Config: config})
		if len(items) != 1 || items[0].Failed != failed || failed && items[0].Text != "Why not." {
			t.Errorf("%s: got %+v", reason, items)
		}
	}
}

// TestWhoAskedForAnAgentLearnsWhyThereIsNone: eBPF serves, and that is not all there is to say.
func TestWhoAskedForAnAgentLearnsWhyThereIsNone(t *testing.T) {
	config := odiv1.InstrumentationConfig{ObjectMeta: metav1.ObjectMeta{Name: "deployment-cart"}, Spec: odiv1.InstrumentationConfigSpec{Method: odiv1.MethodAgent}}
	iw := odiv1.InstrumentedWorkload{Spec: odiv1.InstrumentedWorkloadSpec{Config: config.Name, Containers: []odiv1.ContainerDecision{
		{Name: "cart", Method: odiv1.MethodEBPF, Reason: odiv1.ReasonNoAgentForLanguage, Message: "There is no agent for Go."},
	}}}
	iw.Status.Conditions = []metav1.Condition{{Type: odiv1.ConditionInstrumented, Status: metav1.ConditionTrue}}
	items := Items(Wish{}, State{Complete: true, Config: config, Workloads: []odiv1.InstrumentedWorkload{iw}})
	if len(items) != 1 || !items[0].Done || !strings.HasSuffix(items[0].Text, "no agent: There is no agent for Go.") {
		t.Errorf("got %+v", items)
	}
}
