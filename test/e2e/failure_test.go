//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

const (
	// saysSoWithin is odi's promise on a backend that stops or starts to take data.
	saysSoWithin = 30 * time.Second
	// backAfterKill is the same on an odiglet that was killed.
	backAfterKill = 5 * time.Second
)

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

func (w *world) checkKilledOdiglet(t *testing.T) {
	before := w.odigletStarts(t)
	load := w.startLoad(t.Context(), 30*time.Second, 10)
	time.Sleep(2 * time.Second)
	var held kernelObjects
	if w.foreign {
		w.deleteOdiglets(t)
	} else {
		for _, pid := range w.odigletPIDs(t) {
			held = append(held, heldBy(t, pid)...)
			kill9(t, pid)
		}
		expectReleased(t, held)
	}
	restarted := w.waitRestarted(t, before)
	s := load.wait(t)
	w.expectSpanWithin(t, s, restarted, backAfterKill)
	w.expectWhole(t, w.drive(t, traffic.Load{Requests: 5, Pause: 50 * time.Millisecond}))
}

func kill9(t *testing.T, pid int) {
	t.Helper()
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatalf("killing the odiglet: %v", err)
	}
	t.Logf("killed the odiglet, pid %d", pid)
}

// deleteOdiglets is kill -9 for a cluster whose nodes are out of reach.
func (w *world) deleteOdiglets(t *testing.T) {
	t.Helper()
	pods, err := w.cluster.Pods(t.Context(), "odi-system")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pods {
		if hasOdiglet(p) {
			if err := w.cluster.Client.Delete(t.Context(), &p, client.GracePeriodSeconds(0)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func hasOdiglet(p corev1.Pod) bool {
	for _, c := range p.Spec.Containers {
		if c.Name == "odiglet" {
			return true
		}
	}
	return false
}

// odigletStarts maps each odiglet container that runs to when it started.
func (w *world) odigletStarts(t *testing.T) map[string]time.Time {
	t.Helper()
	pods, err := w.cluster.Pods(t.Context(), "odi-system")
	if err != nil {
		t.Fatal(err)
	}
	starts := map[string]time.Time{}
	for _, p := range pods {
		for _, s := range p.Status.ContainerStatuses {
			if s.Name == "odiglet" && s.State.Running != nil {
				starts[s.ContainerID] = s.State.Running.StartedAt.Time
			}
		}
	}
	return starts
}

// waitRestarted returns when the last of the new odiglets started.
func (w *world) waitRestarted(t *testing.T, before map[string]time.Time) time.Time {
	t.Helper()
	var latest time.Time
	err := stage.Eventually(t.Context(), 30*time.Second, 200*time.Millisecond, func(context.Context) (bool, string) {
		starts := w.odigletStarts(t)
		for id, at := range starts {
			if _, old := before[id]; old {
				return false, "an odiglet was not restarted"
			}
			if at.After(latest) {
				latest = at
			}
		}
		return len(starts) == len(before), fmt.Sprintf("%d of %d odiglets run", len(starts), len(before))
	})
	if err != nil {
		t.Fatalf("waiting for the odiglet: %v\n%s", err, w.cluster.Diagnose(t.Context(), "odi-system"))
	}
	return latest
}
