package node

import (
	"log/slog"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestAnOdigletSaysThatItLives: the Lease is renewed by one small write, made anew where it is gone, and a report that
// somebody doubted meanwhile is written again.
func TestAnOdigletSaysThatItLives(t *testing.T) {
	c := testkit.Client(t, testkit.APIServer(t))
	testkit.Create(t, c, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}})
	r := newReporter(c, "n1", slog.New(slog.DiscardHandler), func() odiv1.NodeInstrumentationStatus {
		return status("6.1", nil, nil, nil, 0)
	})
	h := &heartbeat{client: c, namespace: "default", node: "n1", log: r.log, doubted: r.doubted}
	begin := time.Now().Truncate(time.Microsecond)
	lease := &coordinationv1.Lease{}
	beat := func(after time.Duration) {
		t.Helper()
		if err := h.beat(t.Context(), begin.Add(after)); err != nil {
			t.Fatal(err)
		}
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "odiglet-n1"}, lease); err != nil {
			t.Fatal(err)
		}
		if got := lease.Spec.RenewTime; got == nil || !got.Equal(&metav1.MicroTime{Time: begin.Add(after)}) {
			t.Fatalf("renewed at %v, want %s after the beginning", got, after)
		}
	}
	beat(0)
	beat(beatEvery)
	if len(lease.OwnerReferences) != 1 || lease.OwnerReferences[0].Kind != "Node" || lease.Labels[odiv1.LabelComponent] != odiv1.ComponentOdiglet {
		t.Errorf("the Lease does not go with its node, or the manager does not find it: %+v", lease.ObjectMeta)
	}
	if err := c.Delete(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	if err := h.beat(t.Context(), begin); err == nil {
		t.Error("a Lease that is gone was renewed")
	}
	beat(beatEvery) // Made anew.

	go func() { _ = r.run(t.Context()) }() // It ends with the test.
	ni := &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	testkit.EventuallyObject(t, c, ni, "the node is ready", func(ni *odiv1.NodeInstrumentation) bool {
		return len(ni.Status.Conditions) == 1 && ni.Status.Conditions[0].Status == metav1.ConditionTrue
	})
	ni.Status.Conditions[0].Status, ni.Status.Conditions[0].Reason = metav1.ConditionUnknown, odiv1.ReasonOdigletSilent
	if err := c.Status().Update(t.Context(), ni); err != nil {
		t.Fatal(err)
	}
	beat(beatEvery + doubtedAfter + time.Second)
	testkit.EventuallyObject(t, c, ni, "the node is ready again", func(ni *odiv1.NodeInstrumentation) bool {
		return ni.Status.Conditions[0].Status == metav1.ConditionTrue
	})
}
