package red

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/probe"
)

// spans are the last bytes of the span ids that the points of a metric have as exemplars, by value.
func spans(md pmetric.Metrics, metric string) map[float64]byte {
	all := map[float64]byte{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Name() != metric {
					continue
				}
				for _, p := range m.Histogram().DataPoints().All() {
					for _, x := range p.Exemplars().All() {
						id := x.SpanID()
						all[x.DoubleValue()] = id[len(id)-1]
					}
				}
			}
		}
	}
	return all
}

// TestExemplars: each bucket of durations has the latest span of it that is exported, once; sizes have none.
func TestExemplars(t *testing.T) {
	r := NewRecorder(noon)
	r.Add(key("a"), resource("cart"))
	sized := &probe.Instrument{Name: "d", RequestBody: &probe.Sizes{Name: "in"}}
	record := func(span byte, d time.Duration) {
		m := took(d, sized, "http.route", "/")
		if span != 0 {
			m.Span = SpanContext{Trace: [16]byte{1}, Span: [8]byte{7: span}, End: noon}
		}
		r.Record(key("a"), m)
	}
	record(1, time.Second)
	record(2, 900*time.Millisecond) // the same bucket
	record(3, time.Millisecond)
	record(0, time.Millisecond) // not exported
	record(0, time.Minute)

	md := r.Collect(noon.Add(time.Second))
	if diff := cmp.Diff(map[float64]byte{0.9: 2, 0.001: 3}, spans(md, "d")); diff != "" {
		t.Errorf("exemplars (-want +got):\n%s", diff)
	}
	if got := spans(md, "in"); len(got) > 0 {
		t.Errorf("sizes have exemplars: %v", got)
	}
	record(4, time.Second)
	if diff := cmp.Diff(map[float64]byte{1: 4}, spans(r.Collect(noon.Add(2*time.Second)), "d")); diff != "" {
		t.Errorf("exemplars of the next collection (-want +got):\n%s", diff)
	}
}
