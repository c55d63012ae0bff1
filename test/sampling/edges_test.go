package sampling

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// compareEdges looks whether the service graph has each request of want once on each side that was watched: whom nginx
// asks is watched on the same machine, and has the server's side.
func (p *pipes) compareEdges(t *testing.T, want map[string]sums) {
	t.Helper()
	var asked, served uint64
	for key, one := range want {
		switch {
		case strings.Contains(key, " http.client.request.duration "):
			asked += one.count
		case strings.Contains(key, " http.server.request.duration "):
			served += one.count
		}
	}
	got := map[string]uint64{}
	for _, rm := range p.graph.Collect(time.Now(), true).ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Type() != pmetric.MetricTypeHistogram {
				continue
			}
			for _, point := range m.Histogram().DataPoints().All() {
				got[m.Name()] += point.Count()
			}
		}
	}
	if n := got["traces_service_graph_request_client_seconds"]; n != asked {
		t.Errorf("edges have %d requests of clients, want %d", n, asked)
	}
	if n := got["traces_service_graph_request_server_seconds"]; n != served {
		t.Errorf("edges have %d requests of servers, want %d", n, served)
	}
}
