package run

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestHandshakesAreMeasured has programs ask a server over TLS, of whom one trusts it and one does not. They begin
// when the room is there, which is loaded beside everything else.
func TestHandshakesAreMeasured(t *testing.T) {
	testkit.NeedRoot(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	o := startODI(t, nil, "-o", "json", "--metrics", "--", "sh", "-c",
		"sleep 3; curl --silent --insecure --tls-max 1.2 "+server.URL+"; curl --silent --tls-max 1.2 "+server.URL+"; true")
	if code := o.wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, o.err.String())
	}
	got := make(map[string]uint64)
	for line := range strings.Lines(o.out.String()) {
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics([]byte(line))
		if err != nil {
			continue // of spans
		}
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					if m.Name() != "odi.tls.client.handshake.duration" {
						continue
					}
					for _, p := range m.Histogram().DataPoints().All() {
						failed, _ := p.Attributes().Get("error.type")
						version, _ := p.Attributes().Get("tls.protocol.version")
						if p.Sum() <= 0 || p.Sum() > time.Minute.Seconds() {
							t.Errorf("it took %f s", p.Sum())
						}
						got[version.AsString()+" "+failed.AsString()] = p.Count()
					}
				}
			}
		}
	}
	if len(got) != 2 || got["1.2 "] != 1 || got["1.2 unknown_ca"] != 1 {
		t.Errorf("%v\n%s", got, o.out.String())
	}
}
