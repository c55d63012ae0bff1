package rollout

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestStory rolls agents out and back on a real API server; the test makes and runs the pods.
func TestStory(t *testing.T) {
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	testkit.Namespace(t, c, "shop")
	testkit.RunManager(t, restConfig, kube.Config{Namespace: "odi-system"}, Setup)
	p := newPlayer(t, c)

	t.Run("a canary, then the rest, then uninstrumented", func(t *testing.T) { wholeWay(t, p) })
	t.Run("rolled back", func(t *testing.T) { rolledBack(t, p) })
	t.Run("errors", func(t *testing.T) { errorRate(t, p) })
	t.Run("manual", func(t *testing.T) { manualMode(t, p) })
	t.Run("an only pod", func(t *testing.T) { singleReplica(t, p) })
	t.Run("a disruption budget", func(t *testing.T) { budget(t, p) })
	t.Run("missed pods", func(t *testing.T) { missed(t, p) })
}

func wholeWay(t *testing.T, p *player) {
	iw := p.deploy(t, "cart", 3, "")
	start := time.Now()
	wantPhase(t, p, iw, odiv1.PhaseDone, odiv1.ReasonRolledOut)
	t.Logf("3 pods have agents after %s", time.Since(start).Round(100*time.Millisecond))
	if got := p.withAgents(t, "cart"); got != 3 {
		t.Errorf("%d pods have agents", got)
	}
	p.wantPods(t, "cart", 6, 3)
	d := testkit.Deployment("shop", "cart", "app")
	if err := p.client.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil || d.Generation != 1 {
		t.Errorf("the Deployment is at generation %d (%v): its template is not for odi", d.Generation, err)
	}
	for _, reason := range []string{odiv1.ReasonCanary, odiv1.ReasonEvicted, odiv1.ReasonRollingOut, odiv1.ReasonRolledOut} {
		testkit.WantEvent(t, p.client, d, reason)
	}

	t.Log("Another version begins at the canary again.")
	patchSpec(t, p, iw, func() { iw.Spec.Containers = []odiv1.ContainerDecision{agentDecision("2")} })
	slot := iw.Spec.Rollout.Slot
	testkit.EventuallyObject(t, p.client, iw, "a slot is offered", func(iw *odiv1.InstrumentedWorkload) bool {
		return iw.Spec.Rollout.Stage == odiv1.RolloutStageCanary && iw.Spec.Rollout.Slot == slot+1
	})
	testkit.Eventually(t, 40*time.Second, "every pod has version 2", func() bool {
		for _, pod := range p.pods(t, "cart") {
			if pod.Annotations[odiv1.AnnotationAgents] != "app=java@2" {
				return false
			}
		}
		return true
	})

	t.Log("Nobody selects it any more: every pod is as the template says.")
	if err := p.client.Delete(t.Context(), iw); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, time.Minute, "no pod has agents", func() bool { return p.withAgents(t, "cart") == 0 })
}

func rolledBack(t *testing.T, p *player) {
	waiting := func(reason, message string) func(*corev1.PodStatus) {
		return func(s *corev1.PodStatus) {
			s.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
		}
	}
	ended := func(reason string, code int32) func(*corev1.PodStatus) {
		return func(s *corev1.PodStatus) {
			s.ContainerStatuses[0].RestartCount = 1
			s.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
				Reason: reason, ExitCode: code, Message: "no such module", FinishedAt: metav1.Now(),
			}
		}
	}
	for name, tc := range map[string]struct {
		sick   func(*corev1.PodStatus)
		fact   odiv1.AgentState
		reason string
	}{
		"crash":  {sick: ended("Error", 1), reason: odiv1.ReasonCrashLoop},
		"memory": {sick: ended("OOMKilled", 137), reason: odiv1.ReasonOutOfMemory},
		"pull":   {sick: waiting("ImagePullBackOff", "Back-off pulling image"), reason: odiv1.ReasonImagePullFailed},
		"made":   {sick: waiting("CreateContainerError", "no such volume"), reason: odiv1.ReasonContainerNotMade},
		"failed": {fact: odiv1.AgentFailed, reason: odiv1.ReasonAgentFailed},
		"blind":  {fact: odiv1.AgentSeesNothing, reason: odiv1.ReasonAgentSeesNothing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			iw := p.deploy(t, name, 3, "")
			p.of(name, func(play *play) { play.sick = tc.sick })
			if tc.fact != "" {
				patchStatus(t, p, iw, func() {
					iw.Status.Containers = []odiv1.ContainerStatus{{Name: "app", Agent: odiv1.AgentFact{Agent: "java@1", State: tc.fact, Processes: 1}}}
				})
			}
			start := time.Now()
			testkit.EventuallyObject(t, p.client, iw, "it is rolled back", func(iw *odiv1.InstrumentedWorkload) bool {
				return iw.Spec.Rollout != nil && iw.Spec.Rollout.Stage == odiv1.RolloutStageNone && len(iw.Status.Rollout.Failures) == 1
			})
			if f := iw.Status.Rollout.Failures[0]; f.Reason != tc.reason || f.Agent != "java@1" || f.ImageID != "example.test/app@sha256:01" || f.Message == "" {
				t.Errorf("the failure is %+v", f)
			}
			t.Log("controllers/decide answers.")
			patchSpec(t, p, iw, func() {
				iw.Spec.Containers = []odiv1.ContainerDecision{{Name: "app", Method: odiv1.MethodEBPF, Reason: odiv1.ReasonAgentFailedBefore}}
			})
			wantPhase(t, p, iw, odiv1.PhaseRolledBack, tc.reason)
			t.Logf("rolled back %s after it was decided", time.Since(start).Round(100*time.Millisecond))
			t.Log("Of 3 pods one was evicted, and the canary that came for it.")
			p.wantPods(t, name, 5, 1)
			if got := p.withAgents(t, name); got != 0 {
				t.Errorf("%d pods have agents", got)
			}
		})
	}
}

// errorRate has a canary that is ready, whose answers are worse than those of the other pods.
func errorRate(t *testing.T, p *player) {
	iw := p.deploy(t, "errors", 3, "")
	p.of("errors", func(play *play) {
		play.sick = func(s *corev1.PodStatus) {
			s.Conditions[0].Status, s.Conditions[0].LastTransitionTime = corev1.ConditionTrue, metav1.Now()
		}
	})
	wantPhase(t, p, iw, odiv1.PhaseSoaking, odiv1.ReasonSoaking)
	start := time.Now()
	if until := iw.Spec.Rollout.WatchUntil; until.Sub(start) < startWindow-time.Minute {
		t.Errorf("it is watched until %s", until)
	}
	begin := start.Truncate(5 * time.Second).Add(5 * time.Second)
	patchStatus(t, p, iw, func() {
		status := odiv1.ContainerStatus{Name: "app", Agent: odiv1.AgentFact{Agent: "java@1", State: odiv1.AgentAlive, Processes: 1}}
		for i := range 3 {
			at := metav1.NewTime(begin.Add(time.Duration(i) * 5 * time.Second))
			status.Answers = append(status.Answers, odiv1.Answers{At: at, Agent: 30, AgentFailed: 15, Plain: 60, PlainFailed: 1})
		}
		iw.Status.Containers = []odiv1.ContainerStatus{status}
	})
	testkit.EventuallyObject(t, p.client, iw, "it is rolled back", func(iw *odiv1.InstrumentedWorkload) bool {
		return iw.Spec.Rollout != nil && iw.Spec.Rollout.Stage == odiv1.RolloutStageNone && len(iw.Status.Rollout.Failures) == 1
	})
	t.Logf("rolled back %s after the answers were told", time.Since(start).Round(100*time.Millisecond))
	const words = "Pods with the agent answered 30 of 60 (50 %) requests with a server error, those without it 2 of 120 (1.7 %) in the same time."
	if f := iw.Status.Rollout.Failures[0]; f.Reason != odiv1.ReasonAgentErrorRate || f.Message != words || f.Container != "app" {
		t.Errorf("the failure is %+v", f)
	}
	if !iw.Spec.Rollout.WatchUntil.IsZero() {
		t.Errorf("it is still watched, until %s", iw.Spec.Rollout.WatchUntil)
	}
	patchSpec(t, p, iw, func() {
		iw.Spec.Containers = []odiv1.ContainerDecision{{Name: "app", Method: odiv1.MethodEBPF, Reason: odiv1.ReasonAgentFailedBefore}}
	})
	wantPhase(t, p, iw, odiv1.PhaseRolledBack, odiv1.ReasonAgentErrorRate)
	p.wantPods(t, "errors", 5, 1)
	d := testkit.Deployment("shop", "errors", "app")
	if err := p.client.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil {
		t.Fatal(err)
	}
	testkit.WantEvent(t, p.client, d, odiv1.ReasonAgentErrorRate)
}

func manualMode(t *testing.T, p *player) {
	iw := p.deploy(t, "manual", 2, odiv1.RolloutManual)
	wantPhase(t, p, iw, odiv1.PhaseManual, odiv1.ReasonRolloutManual)
	testkit.EventuallyObject(t, p.client, iw, "every new pod may have agents", func(iw *odiv1.InstrumentedWorkload) bool {
		return iw.Spec.Rollout != nil && iw.Spec.Rollout.Stage == odiv1.RolloutStageAll
	})
	if n := p.withAgents(t, "manual"); n != 0 {
		t.Errorf("%d pods have agents, though nobody has made any anew", n)
	}
	for _, pod := range p.pods(t, "manual") {
		if err := p.client.Delete(t.Context(), &pod); err != nil {
			t.Fatal(err)
		}
	}
	testkit.EventuallyObject(t, p.client, iw, "pods that somebody made anew have agents", func(iw *odiv1.InstrumentedWorkload) bool {
		return iw.Status.Rollout.Pods == 2 && meta.IsStatusConditionTrue(iw.Status.Conditions, odiv1.ConditionRolledOut)
	})
	p.of("manual", func(play *play) {
		if play.made != 4 {
			t.Errorf("%d pods were made: somebody evicted one", play.made)
		}
	})
}

func singleReplica(t *testing.T, p *player) {
	iw := p.deploy(t, "only", 1, "")
	wantPhase(t, p, iw, odiv1.PhaseWaiting, odiv1.ReasonSingleReplica)
	time.Sleep(3 * settle)
	p.of("only", func(play *play) {
		if play.made != 1 {
			t.Errorf("%d pods were made: the only one was evicted", play.made)
		}
	})
	config := &odiv1.InstrumentationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "only"}}
	if err := p.client.Patch(t.Context(), config, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"rollout":"Auto"}}`))); err != nil {
		t.Fatal(err)
	}
	wantPhase(t, p, iw, odiv1.PhaseDone, odiv1.ReasonRolledOut)
}

func budget(t *testing.T, p *player) {
	one := intstr.FromInt32(2)
	pdb := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "budget"}, Spec: policyv1.PodDisruptionBudgetSpec{
		MinAvailable: &one, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "budget"}},
	}}
	testkit.Create(t, p.client, pdb)
	pdb.Status = policyv1.PodDisruptionBudgetStatus{ObservedGeneration: pdb.Generation, DesiredHealthy: 2, CurrentHealthy: 2, ExpectedPods: 2}
	if err := p.client.Status().Update(t.Context(), pdb); err != nil {
		t.Fatal(err)
	}
	iw := p.deploy(t, "budget", 2, "")
	testkit.EventuallyObject(t, p.client, iw, "the budget is said to keep the pod", func(iw *odiv1.InstrumentedWorkload) bool {
		c := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionRolledOut)
		return c != nil && c.Reason == odiv1.ReasonDisruptionBudget
	})
	if err := p.client.Get(t.Context(), client.ObjectKeyFromObject(pdb), pdb); err != nil {
		t.Fatal(err)
	}
	pdb.Status.DisruptionsAllowed = 2
	if err := p.client.Status().Update(t.Context(), pdb); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, "its pods have agents when it allows it", func() bool { return p.withAgents(t, "budget") == 2 })
}

func missed(t *testing.T, p *player) {
	iw := p.deploy(t, "missed", 2, "")
	wantPhase(t, p, iw, odiv1.PhaseDone, odiv1.ReasonRolledOut)
	p.of("missed", func(play *play) { play.webhook = false })
	pods := p.pods(t, "missed")
	if err := p.client.Delete(t.Context(), &pods[0]); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 10*time.Second, "a pod comes without agents", func() bool { return len(p.pods(t, "missed")) == 2 && p.withAgents(t, "missed") == 1 })
	start := time.Now()
	wantPhase(t, p, iw, odiv1.PhaseRollingOut, odiv1.ReasonRollingOut)
	t.Logf("the missed pod is found after %s", time.Since(start).Round(10*time.Millisecond))
	p.of("missed", func(play *play) { play.webhook = true })
	testkit.Eventually(t, 45*time.Second, "it is repaired", func() bool { return p.withAgents(t, "missed") == 2 })
}

func wantPhase(t *testing.T, p *player, iw *odiv1.InstrumentedWorkload, phase, reason string) {
	t.Helper()
	deadline := time.Now().Add(45 * time.Second)
	for {
		err := p.client.Get(t.Context(), client.ObjectKeyFromObject(iw), iw)
		c := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionRolledOut)
		if err == nil && iw.Status.Rollout.Phase == phase && c != nil && c.Reason == reason {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not %s, %s: plan %+v, claim %+v, status %+v, condition %+v (%v)", phase, reason, iw.Spec.Rollout, iw.Status.Canary, iw.Status.Rollout, c, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func patchSpec(t *testing.T, p *player, iw *odiv1.InstrumentedWorkload, change func()) {
	t.Helper()
	before := iw.DeepCopy()
	change()
	if err := p.client.Patch(t.Context(), iw, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

func patchStatus(t *testing.T, p *player, iw *odiv1.InstrumentedWorkload, change func()) {
	t.Helper()
	before := iw.DeepCopy()
	change()
	if err := p.client.Status().Patch(t.Context(), iw, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}
