package bpf_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// awaitEntries waits until a map of the engine holds so many sockets.
func awaitEntries(t *testing.T, r *recorder, name string, want int) {
	t.Helper()
	var got int
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		n, err := r.engine.Entries(name)
		if err != nil {
			t.Fatal(err)
		}
		if got = n; got == want {
			return
		}
	}
	t.Errorf("map %s holds %d sockets, want %d", name, got, want)
}

// TestPropagationIsSwitchedPerTarget has two programs beside each other ask a server, one of
// which must be left as it is: first neither, then one, then the other, while they run.
func TestPropagationIsSwitchedPerTarget(t *testing.T) {
	for _, kind := range []string{"direct", "python", "poll", "nginx"} {
		t.Run(kind, func(t *testing.T) { switchPropagation(t, kind) })
	}
}

func switchPropagation(t *testing.T, kind string) {
	needRoot(t)
	addr, all, bare := answering(t)
	first, firstPIDs := chainTo(t, kind, "http://"+addr)
	second, secondPIDs := chainTo(t, kind, "http://"+addr)
	r := record(t)
	set := func(pids []uint32, propagate bool) {
		t.Helper()
		for _, pid := range pids {
			if err := r.engine.AddTarget(probe.Target{PID: pid, Propagate: propagate}); err != nil {
				t.Fatal(err)
			}
		}
	}
	client := &http.Client{}
	defer client.CloseIdleConnections()
	const n = 20
	ask := func(base, name string, wantBare int64) {
		t.Helper()
		all.Store(0)
		bare.Store(0)
		for i := range n {
			get(t, client, fmt.Sprintf("%s/%s%d", base, name, i))
		}
		if all.Load() != n || bare.Load() != wantBare {
			t.Errorf("%s: of %d requests %d came without header, want %d", name, all.Load(), bare.Load(), wantBare)
		}
	}
	empty := func() {
		t.Helper()
		awaitEntries(t, r, "sockets", 0)
		awaitEntries(t, r, "verdict_sockets", 0)
	}
	set(firstPIDs, false)
	set(secondPIDs, false)
	ask(first, "first-off", n)
	ask(second, "second-off", n)
	empty()

	set(firstPIDs, true)
	ask(first, "first-on", 0)
	ask(second, "second-still-off", n)

	set(firstPIDs, false)
	empty()
	set(secondPIDs, true)
	ask(first, "first-off-again", n)
	ask(second, "second-on", 0)
	set(secondPIDs, false)
	empty()
	ask(second, "second-off-again", n)
	empty()

	header := "00-000000000000000000000000000000ab-00000000000000aa-01"
	get(t, client, first+"/parent", "traceparent", header)
	const before = 7 * n * 2 // of each request what is served and what is asked
	var spans []span
	for _, s := range r.waitFor(before + 2) {
		if s.mark() == "parent" {
			spans = append(spans, s)
		}
	}
	for _, s := range spans {
		if s.Kind == probe.Server && (s.TraceID[15] != 0xab || s.ParentSpanID[7] != 0xaa) {
			t.Errorf("what came in with a parent has %x in trace %x", s.ParentSpanID, s.TraceID)
		}
		if s.Kind == probe.Client && (s.TraceID[15] != 0xab || s.Injected) {
			t.Errorf("what goes out is in trace %x; written: %v", s.TraceID, s.Injected)
		}
	}
	if len(spans) != 2 {
		t.Errorf("%d spans of a request and what it asks, want 2", len(spans))
	}
}

// chainTo starts one application that asks next, and returns its address and its processes.
func chainTo(t *testing.T, kind, next string) (string, []uint32) {
	t.Helper()
	addr := loopback.Address(t)
	switch kind {
	case "python":
		return "http://" + addr, []uint32{start(t, addr, "python3", "testdata/hop.py", addr, next)}
	case "poll":
		return "http://" + addr, []uint32{start(t, addr, "python3", "testdata/hop.py", addr, next, kind)}
	case "nginx":
		pid := startNginx(t, addr, next, false)
		return "http://" + addr, append(children(t, pid), pid)
	}
	return "http://" + addr, []uint32{start(t, addr, hop(t), addr, next, kind)}
}
