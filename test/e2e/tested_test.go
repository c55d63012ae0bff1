//go:build e2e

package e2e

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

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

	refused := w.tryOdi(t, w.cluster.Kubeconfig, "destination", "add", "otlp", "--name", "closed", "--endpoint", "http://odi-demo-closed.shop:4317", "--wait", "--timeout", "20s")
	defer w.odi(t, "destination", "remove", "closed")
	if refused.code == 0 || !strings.Contains(refused.stderr, "✗ traces   DNS: ") || !strings.Contains(refused.stderr, "Is there a Service odi-demo-closed in the namespace shop?") {
		t.Errorf("odi destination add --wait ends with %d and says\n%s%s", refused.code, refused.stdout, refused.stderr)
	}
	load.wait(t)
	w.expectWhole(t, w.drive(t, traffic.Load{Requests: 5, Pause: 50 * time.Millisecond}))
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
