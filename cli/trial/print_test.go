package trial

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/answer"
	"github.com/odi-dev/odi/internal/trial"
)

// TestPrint also holds that a terminal of 80 columns is enough, and that a backend cannot steer it.
func TestPrint(t *testing.T) {
	r := trial.Result{
		Destination: "shop/grafana", Type: "grafanacloud", Endpoint: "https://otlp-gateway-prod-eu-west-0.grafana.net/otlp", TraceID: "0af7651916cd43dd8448eb211c80319c",
		Signals: []answer.Finding{
			{Signal: "traces", Accepted: true, Milliseconds: 48},
			{Signal: "metrics", Accepted: true, Milliseconds: 51, Words: "the limit is near"},
			{Signal: "logs", Step: answer.StepHTTP, Cause: "it refuses access with these credentials (403)", Words: "HTTP 403 Forbidden: \x1b[31mauthentication error: invalid scope requested",
				Hint: "The key has expired. Make a new one, and store it: odi destination add grafanacloud --name grafana --replace"},
		},
	}
	var out bytes.Buffer
	Print(output.Page{Writer: &out, Width: 80}, r)
	want := `destination shop/grafana (grafanacloud),
https://otlp-gateway-prod-eu-west-0.grafana.net/otlp
✓ traces   accepted in 48 ms
✓ metrics  accepted in 51 ms, with a warning: the limit is near
✗ logs     HTTP: it refuses access with these credentials (403)
           HTTP 403 Forbidden: ?[31mauthentication error: invalid scope
           requested
           Hint: The key has expired. Make a new one, and store it:
                 odi destination add grafanacloud --name grafana --replace
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(line); n > 81 && !strings.Contains(line, "  odi ") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
