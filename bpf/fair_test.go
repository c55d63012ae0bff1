package bpf_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
)

// TestNoisyProcessesCostAQuietOneNothing has servers answer far more than a slow reader takes, so that the ring is
// always full, beside one that answers now and then: this one loses next to none.
func TestNoisyProcessesCostAQuietOneNothing(t *testing.T) {
	needRoot(t)
	for _, noisy := range []int{1, 10} {
		t.Run(strconv.Itoa(noisy), func(t *testing.T) { besideNoise(t, noisy) })
	}
}

func besideNoise(t *testing.T, noisy int) {
	quietURL, quiet := chain(t, "direct")
	r := slowReader(t, quiet[0])
	for range noisy {
		url, pids := chain(t, "direct")
		r.watch(t, pids[0])
		flood(t.Context(), url)
	}
	lostOf := func(pid uint32) uint64 { return r.engine.Losers()[bpf.Loser{PID: pid, Reason: "ring_full"}] }
	lost := func() uint64 { return r.engine.Drops()["ring_full"] }
	for deadline := time.Now().Add(20 * time.Second); lost() < 1000; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the ring never was full")
		}
	}
	const n = 200 // at most 50 a second, of 1,000 that are read
	for i := range n {
		get(t, http.DefaultClient, fmt.Sprintf("%s/quiet%d", quietURL, i))
		time.Sleep(20 * time.Millisecond)
	}
	for deadline := time.Now().Add(10 * time.Second); r.of(quiet[0])+int(lostOf(quiet[0])) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("of the quiet one's %d requests %d were seen and %d lost", n, r.of(quiet[0]), lostOf(quiet[0]))
		}
	}
	t.Logf("%d noisy ones lost %d, the quiet one %d of %d", noisy, lost(), lostOf(quiet[0]), n)
	if lostOf(quiet[0]) > n/100 { // more than half of them where everybody writes as much as fits
		t.Errorf("the quiet one lost %d of %d requests", lostOf(quiet[0]), n)
	}
}

// reader counts the requests of each process.
type reader struct {
	engine *bpf.Engine
	mu     sync.Mutex
	seen   map[uint32]int
}

// slowReader reads a small ring at a thousand requests a second.
func slowReader(t *testing.T, pid uint32) *reader {
	e, err := bpf.Load(bpf.Options{RingBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{engine: e, seen: map[uint32]int{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- e.Run(ctx, func(x *probe.Exchange) {
			r.mu.Lock()
			r.seen[x.PID]++
			r.mu.Unlock()
			if ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, e.Close()); err != nil {
			t.Error(err)
		}
	})
	r.watch(t, pid)
	return r
}

func (r *reader) of(pid uint32) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[pid]
}

func (r *reader) watch(t *testing.T, pid uint32) {
	if err := r.engine.AddTarget(probe.Target{PID: pid}); err != nil {
		t.Fatal(err)
	}
}

// flood asks as fast as four clients can, until ctx is done.
func flood(ctx context.Context, url string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	for range 4 {
		go func() {
			for ctx.Err() == nil {
				if answer, err := client.Get(url + "/noise"); err == nil {
					_ = answer.Body.Close()
				}
			}
		}()
	}
}

// TestRequestsReadAfterARemovalAreCounted has a server answer faster than a slow reader reads, and takes it off the
// targets meanwhile: what the ring still holds of it gives no spans, and is in the books.
func TestRequestsReadAfterARemovalAreCounted(t *testing.T) {
	needRoot(t)
	url, pids := chain(t, "direct")
	r := slowReader(t, pids[0])
	const n = 300
	storm(t, url, "asked", n, 4)
	if err := r.engine.RemoveTarget(pids[0]); err != nil {
		t.Fatal(err)
	}
	detached := func() uint64 { return r.engine.Drops()["detached"] }
	for deadline := time.Now().Add(10 * time.Second); r.of(pids[0])+int(detached()) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("of %d requests %d were seen and %d counted as detached", n, r.of(pids[0]), detached())
		}
	}
	of := r.engine.Losers()[bpf.Loser{PID: pids[0], Reason: "detached"}]
	if seen := r.of(pids[0]); detached() == 0 || of != detached() || seen+int(detached()) != n {
		t.Errorf("%d were seen and %d counted as detached, %d of the server's own; there were %d", seen, detached(), of, n)
	}
}
