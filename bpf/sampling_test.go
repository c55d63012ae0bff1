package bpf_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
)

// TestTracesAreSampledWhole sends requests through nginx and two servers in Go, of which a tenth is recorded: each
// trace is, or is not, at every hop, as its id says; what comes with a parent goes by the parent's flag.
func TestTracesAreSampledWhole(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "nginx", "direct", "direct")
	get(t, http.DefaultClient, base+"/before")
	r := record(t, pids...)
	sampling := probe.SampleRatio(0.1)
	for _, pid := range pids {
		if err := r.engine.AddTarget(probe.Target{PID: pid, Propagate: true, Children: true, Sampling: sampling}); err != nil {
			t.Fatal(err)
		}
	}
	const perTrace = 5
	const habit = 100 // until nginx is trusted
	for i := range habit {
		get(t, http.DefaultClient, fmt.Sprintf("%s/habit%d", base, i))
	}
	r.waitFor(habit * perTrace)
	r.reset()
	const n = 1000
	for i := range n {
		switch i % 10 {
		case 0, 5:
			flags := i % 10 / 5
			header := fmt.Sprintf("00-%032x-00000000000000aa-%02x", i+1, flags)
			get(t, http.DefaultClient, fmt.Sprintf("%s/parent%d", base, flags), "traceparent", header)
		default:
			get(t, http.DefaultClient, fmt.Sprintf("%s/m%d", base, i))
		}
	}
	traces := map[[16]byte][]span{}
	for _, s := range r.waitFor(n * perTrace) {
		traces[s.TraceID] = append(traces[s.TraceID], s)
	}
	recorded := 0
	for id, spans := range traces {
		want := sampling.Records(id)
		switch spans[0].mark() {
		case "parent0":
			want = false
		case "parent1":
			want = true
		default:
			if want {
				recorded++
			}
		}
		if len(spans) != perTrace {
			t.Errorf("%d spans of a trace instead of %d", len(spans), perTrace)
		}
		for _, s := range spans {
			if got := s.TraceFlags&probe.Sampled != 0; got != want {
				t.Errorf("%s in %x: recorded %v by process %d (%v), want %v", s.path, id, got, s.PID, s.Link, want)
			}
		}
	}
	t.Logf("of %d traces that began here %d are recorded", n*8/10, recorded)
	if len(traces) != n || recorded < 50 || recorded > 120 {
		t.Errorf("%d traces, %d of them recorded", len(traces), recorded)
	}
}
