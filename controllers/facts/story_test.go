package facts

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestStory tells how a workload's status follows what the nodes report.
func TestStory(t *testing.T) {
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	testkit.RunManager(t, restConfig, kube.Config{Namespace: "odi-system"}, Setup)
	testkit.Namespace(t, c, "shop")
	cart := testkit.Deployment("shop", "cart", "app")
	testkit.Create(t, c, cart)
	iw := testkit.Selected(cart, "all")
	iw.Spec.Containers = decided(odiv1.MethodEBPF, "app")
	testkit.Create(t, c, iw)

	t.Log("While no node has spoken, the workload waits.")
	wantInstrumented(t, c, iw, metav1.ConditionFalse, odiv1.ReasonWaitingForNode)

	t.Log("A node sees a pod, then instruments it.")
	one := &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{Name: "one"}}
	testkit.Create(t, c, one)
	report(t, c, one, fact("app", goRuntime, 1, 0))
	wantInstrumented(t, c, iw, metav1.ConditionFalse, odiv1.ReasonAttaching)
	report(t, c, one, fact("app", goRuntime, 1, 1))
	wantInstrumented(t, c, iw, metav1.ConditionTrue, odiv1.ReasonAttached)
	if iw.Status.Runtimes != "go 1.26.8" || iw.Status.Pods != 1 || iw.Status.InstrumentedPods != 1 {
		t.Errorf("status is %+v, want one instrumented pod of go 1.26.8", iw.Status)
	}
	testkit.WantEvent(t, c, cart, odiv1.ReasonAttached)
	testkit.WantEvent(t, c, cart, odiv1.ReasonRuntimeDetected)

	t.Log("Another node fails, and goes.")
	two := &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{Name: "two"}}
	testkit.Create(t, c, two)
	failed := fact("app", goRuntime, 1, 0)
	failed.Error = "the map of processes is full."
	report(t, c, two, failed)
	wantInstrumented(t, c, iw, metav1.ConditionFalse, odiv1.ReasonAttachFailed)
	testkit.WantEvent(t, c, cart, odiv1.ReasonAttachFailed)
	if err := c.Delete(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	wantInstrumented(t, c, iw, metav1.ConditionTrue, odiv1.ReasonAttached)

	t.Log("The node's odiglet falls silent: nothing is known any more, until it speaks again.")
	one.Status.Conditions = []metav1.Condition{{
		Type: odiv1.ConditionReady, Status: metav1.ConditionUnknown, Reason: odiv1.ReasonOdigletSilent, LastTransitionTime: metav1.Now(),
	}}
	report(t, c, one, fact("app", goRuntime, 1, 1))
	wantInstrumented(t, c, iw, metav1.ConditionUnknown, odiv1.ReasonOdigletSilent)
	testkit.WantEvent(t, c, cart, odiv1.ReasonOdigletSilent)
	one.Status.Conditions = nil
	report(t, c, one, fact("app", goRuntime, 1, 1))
	wantInstrumented(t, c, iw, metav1.ConditionTrue, odiv1.ReasonAttached)

	t.Log("What it answers is told.")
	answers := fact("app", goRuntime, 1, 1)
	answers.Answers = []odiv1.Answers{answered(0, 0, 0, 30, 1), answered(5, 20, 20, 3, 0)}
	report(t, c, one, answers)
	testkit.EventuallyObject(t, c, iw, "the answers are in the status", func(iw *odiv1.InstrumentedWorkload) bool {
		s := iw.Status.Containers
		return len(s) == 1 && len(s[0].Answers) == 2 && s[0].Answers[1].AgentFailed == 20 && s[0].Answers[0].Plain == 30
	})

	t.Log("What it encrypts, and odi does not read, is told.")
	encrypted := fact("app", goRuntime, 1, 1)
	encrypted.TLS = odiv1.TLSFact{ReadBy: "OpenSSL", UnreadSince: new(answered(0, 0, 0, 0, 0).At)}
	report(t, c, one, encrypted)
	testkit.EventuallyObject(t, c, iw, "it is in the status", func(iw *odiv1.InstrumentedWorkload) bool {
		s := iw.Status.Containers
		return len(s) == 1 && s[0].TLS.ReadBy == "OpenSSL" && s[0].TLS.UnreadSince.Equal(encrypted.TLS.UnreadSince)
	})

	t.Log("The workload is scaled to zero; what ran is still known.")
	before := cart.DeepCopy()
	cart.Spec.Replicas = new(int32)
	if err := c.Patch(t.Context(), cart, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	report(t, c, one)
	wantInstrumented(t, c, iw, metav1.ConditionFalse, odiv1.ReasonNoPods)
	if iw.Status.Runtimes != "go 1.26.8" || iw.Status.Pods != 0 {
		t.Errorf("status is %+v, want no pod of go 1.26.8", iw.Status)
	}
}

func report(t *testing.T, c client.Client, ni *odiv1.NodeInstrumentation, facts ...odiv1.ContainerFact) {
	t.Helper()
	ni.Status.Containers = facts
	if err := c.Status().Update(t.Context(), ni); err != nil {
		t.Fatal(err)
	}
}

func wantInstrumented(t *testing.T, c client.Client, iw *odiv1.InstrumentedWorkload, status metav1.ConditionStatus, reason string) {
	t.Helper()
	testkit.EventuallyObject(t, c, iw, iw.Name+" is "+reason, func(iw *odiv1.InstrumentedWorkload) bool {
		got := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionInstrumented)
		return got != nil && got.Status == status && got.Reason == reason
	})
}
