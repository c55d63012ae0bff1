//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

// printedTrace is the trace's id that odi destination test prints.
var printedTrace = regexp.MustCompile(`trace ([0-9a-f]{32})`)

// checkTestedDestination tests backends from the gateway: one that takes data, which has it
// then, and a Service that does not exist. Data that is on its way is not disturbed.
func (w *world) checkTestedDestination(t *testing.T) {
	begin := time.Now()
	load := w.startLoad(t.Context(), 10*time.Second, 1)
	took := w.odi(t, "destination", "test", "jaeger")
	if !strings.Contains(took.stdout, "✓ traces   accepted in ") {
		t.Errorf("odi destination test jaeger says\n%s", took.stdout)
	}
	w.expectTestSpan(t, begin, printedTrace.FindStringSubmatch(took.stdout))

	w.checkAskedByAnnotation(t)

	refused := w.tryOdi(t, w.cluster.Kubeconfig, "destination", "add", "otlp", "--name", "closed", "--endpoint", "http://odi-demo-closed.shop:4317", "--wait", "--timeout", "20s")
	defer w.odi(t, "destination", "remove", "closed")
	if refused.code == 0 || !strings.Contains(refused.stderr, "✗ traces   DNS: ") || !strings.Contains(refused.stderr, "Is there a Service odi-demo-closed in the namespace shop?") {
		t.Errorf("odi destination add --wait ends with %d and says\n%s%s", refused.code, refused.stdout, refused.stderr)
	}
	load.wait(t)
	w.expectWhole(t, w.drive(t, traffic.Load{Requests: 5, Pause: 50 * time.Millisecond}))
}

// checkAskedByAnnotation has the manager ask for a user who has kubectl alone.
func (w *world) checkAskedByAnnotation(t *testing.T) {
	t.Helper()
	jaeger := odiv1.Destination{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "jaeger"}}
	wish := time.Now().UTC().Format(time.RFC3339)
	patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"odi.dev/test-requested-at":"`+wish+`"}}}`))
	if err := w.cluster.Patch(t.Context(), &jaeger, patch); err != nil {
		t.Error(err)
		return
	}
	err := stage.Eventually(t.Context(), 20*time.Second, 500*time.Millisecond, func(ctx context.Context) (bool, string) {
		if err := w.cluster.Get(ctx, client.ObjectKeyFromObject(&jaeger), &jaeger); err != nil {
			return false, err.Error()
		}
		tested := meta.FindStatusCondition(jaeger.Status.Conditions, odiv1.ConditionTested)
		answered := jaeger.Status.TestRequest != nil && jaeger.Status.TestRequest.Value == wish
		return answered && tested != nil && tested.Status == metav1.ConditionTrue, fmt.Sprintf("it says %+v, %+v", jaeger.Status.TestRequest, tested)
	})
	if err != nil {
		t.Errorf("a test that an annotation asks for: %v", err)
	}
}

// expectTestSpan waits until Jaeger has the span that was sent.
func (w *world) expectTestSpan(t *testing.T, from time.Time, printed []string) {
	t.Helper()
	if printed == nil {
		t.Error("no trace id is printed")
		return
	}
	err := stage.Eventually(t.Context(), arrival, 500*time.Millisecond, func(ctx context.Context) (bool, string) {
		traces, err := w.cluster.Jaeger().Traces(ctx, jaeger.Query{From: from, Limit: mostTraces})
		if err != nil {
			return false, err.Error()
		}
		for _, found := range traces {
			for _, span := range found.Spans {
				if span.TraceID == printed[1] {
					return span.Service == "odi-destination-test" && span.Name == "odi destination test", "it is of the service " + span.Service
				}
			}
		}
		return false, "Jaeger has not got it"
	})
	if err != nil {
		t.Errorf("the span of the test, trace %s: %v", printed[1], err)
	}
}
