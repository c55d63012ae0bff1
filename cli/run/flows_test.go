package run

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestConnectionsAreMeasured has a client ask over TLS, of which nothing else is seen, and a port
// that refuses it.
func TestConnectionsAreMeasured(t *testing.T) {
	testkit.NeedRoot(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	nobody := httptest.NewServer(http.NotFoundHandler())
	refusing := nobody.URL
	nobody.Close()
	o := startODI(t, nil, "-o", "json", "--metrics", "--", "curl", "--silent", "--insecure", server.URL, refusing)
	if code := o.wait(); code != 7 { // curl's: it could not connect
		t.Fatalf("exit code %d\n%s", code, o.err.String())
	}
	got := make(map[string]int64)
	for line := range strings.Lines(o.out.String()) {
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics([]byte(line))
		if err != nil {
			continue // of spans
		}
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					if m.Type() != pmetric.MetricTypeSum {
						continue
					}
					for _, p := range m.Sum().DataPoints().All() {
						got[m.Name()] += p.IntValue()
					}
				}
			}
		}
	}
	if got["odi.tcp.connections"] != 1 || got["odi.tcp.failed_connects"] != 1 || got["odi.tcp.io"] < 500 {
		t.Errorf("%v\n%s", got, o.out.String())
	}
}
