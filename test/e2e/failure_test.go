//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

// saysSoWithin is odi's promise on a backend that stops or starts to take data.
const saysSoWithin = 30 * time.Second

// expectExporting waits until the Destination's condition has a status. A load
// goes on meanwhile: without data nobody can know.
func (w *world) expectExporting(t *testing.T, name string, want metav1.ConditionStatus, within time.Duration) {
	t.Helper()
	begin := time.Now()
	err := stage.Eventually(t.Context(), within, 500*time.Millisecond, func(ctx context.Context) (bool, string) {
		var d odiv1.Destination
		if err := w.cluster.Get(ctx, client.ObjectKey{Namespace: "odi-system", Name: name}, &d); err != nil {
			return false, err.Error()
		}
		c := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionExporting)
		if c == nil {
			return false, "the condition Exporting is not written"
		}
		return c.Status == want, fmt.Sprintf("Exporting is %s (%s): %s", c.Status, c.Reason, c.Message)
	})
	if err != nil {
		t.Errorf("destination %s: want Exporting %s: %v", name, want, err)
		return
	}
	t.Logf("destination %s is Exporting %s after %s", name, want, time.Since(begin).Round(100*time.Millisecond))
}

func (w *world) checkKilledBackend(t *testing.T) {
	w.drive(t, traffic.Load{Requests: 5})
	w.expectExporting(t, "jaeger", metav1.ConditionTrue, saysSoWithin)

	w.scaleJaeger(t, 0)
	load := w.startLoad(t.Context(), 35*time.Second, 1)
	w.expectExporting(t, "jaeger", metav1.ConditionFalse, saysSoWithin)
	missed := load.wait(t)

	w.scaleJaeger(t, 1)
	load = w.startLoad(t.Context(), 20*time.Second, 1)
	w.expectExporting(t, "jaeger", metav1.ConditionTrue, saysSoWithin)
	load.wait(t)

	found := w.tracesOf(t, missed, saysSoWithin, complete(len(missed.results)))
	if len(byMarker(found)) < len(missed.results) {
		t.Errorf("%d of the %d requests sent while the backend was away are in it now; the queue must keep them",
			len(byMarker(found)), len(missed.results))
	}
}

func (w *world) scaleJaeger(t *testing.T, replicas int32) {
	t.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: jaeger.Namespace, Name: jaeger.Name}}
	patch := fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, replicas)
	if err := w.cluster.Patch(t.Context(), d, client.RawPatch("application/merge-patch+json", patch)); err != nil {
		t.Fatal(err)
	}
	if err := w.cluster.WaitReady(t.Context(), jaeger.Namespace, time.Minute); err != nil {
		t.Fatal(err)
	}
}

func (w *world) checkUnreachableDestination(t *testing.T) {
	w.odi(t, "destination", "add", "otlp", "--name", "nowhere", "--endpoint", "http://nowhere.invalid:4317")
	defer w.odi(t, "destination", "remove", "nowhere")
	load := w.startLoad(t.Context(), 15*time.Second, 1)
	w.expectExporting(t, "nowhere", metav1.ConditionFalse, saysSoWithin)
	load.wait(t)
	w.expectExporting(t, "jaeger", metav1.ConditionTrue, saysSoWithin)
	w.expectWhole(t, w.drive(t, traffic.Load{Requests: 5, Pause: 50 * time.Millisecond}))
}
