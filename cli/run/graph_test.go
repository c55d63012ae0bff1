package run

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestWhoAsksWhom has a client ask one server that is watched and one that is not, while hardly any trace is
// recorded: each request is on the edge between the two, once.
func TestWhoAsksWhom(t *testing.T) {
	testkit.NeedRoot(t)
	const watched, unwatched = 60, 40
	near, pid := startServer(t, named(t, "odi-test-asked"))
	far, _ := startServer(t, named(t, "odi-test-unwatched"))
	curl := []string{"-o", "json", "--metrics", "--sample", "0.01", "--pid", fmt.Sprint(pid), "--", "curl", "--silent"}
	for range watched {
		curl = append(curl, "http://"+near+"/near")
	}
	for range unwatched {
		curl = append(curl, "http://"+far+"/far")
	}
	o := startODI(t, nil, curl...)
	if code := o.wait(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, o.err.String())
	}
	got := edges(o.out.String())
	want := map[string]uint64{
		"curl > odi-test-asked": watched, "curl > " + far + " virtual_node": unwatched,
	}
	for _, metric := range []string{"request_total", "request_client_seconds", "request_server_seconds"} {
		if diff := cmp.Diff(want, got[metric]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", metric, diff)
		}
	}
	for edge, n := range got["request_failed_total"] {
		if n > 0 {
			t.Errorf("%d requests of %s have failed", n, edge)
		}
	}
	if spans := strings.Count(o.out.String(), `"spanId"`); spans > (2*watched+unwatched)/2 {
		t.Errorf("%d spans are recorded: the edges may be made of them", spans)
	}
}

// edges reads the latest counts by metric, and by client, server and connection_type.
func edges(output string) map[string]map[string]uint64 {
	all := map[string]map[string]uint64{}
	for line := range strings.Lines(output) {
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics([]byte(line))
		if err != nil {
			continue // of spans
		}
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					if name, ok := strings.CutPrefix(m.Name(), "traces_service_graph_"); ok {
						all[name] = points(m)
					}
				}
			}
		}
	}
	return all
}

func points(m pmetric.Metric) map[string]uint64 {
	all := map[string]uint64{}
	put := func(labels map[string]any, n uint64) {
		all[strings.TrimSpace(fmt.Sprint(labels["client"], " > ", labels["server"], " ", labels["connection_type"]))] += n
	}
	if m.Type() == pmetric.MetricTypeHistogram {
		for _, p := range m.Histogram().DataPoints().All() {
			put(p.Attributes().AsRaw(), p.Count())
		}
		return all
	}
	for _, p := range m.Sum().DataPoints().All() {
		put(p.Attributes().AsRaw(), uint64(p.IntValue()))
	}
	return all
}
