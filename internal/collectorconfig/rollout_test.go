package collectorconfig

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/odi-dev/odi/internal/testkit"
)

// A load is what an odiglet sends: it repeats what was not taken.
type load struct {
	sent atomic.Int64
	// refused counts the answers that were none, or no.
	refused atomic.Int64
	stop    chan struct{}
	done    sync.WaitGroup
}

// startLoad sends batches of spans, as many a second.
func startLoad(t *testing.T, to ptraceotlp.GRPCClient, spans, batches int) *load {
	t.Helper()
	l := &load{stop: make(chan struct{})}
	l.done.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(batches))
		defer tick.Stop()
		for {
			select {
			case <-l.stop:
				return
			case <-tick.C:
			}
			request := claim("shop", spans)
			for {
				if _, err := to.Export(t.Context(), request); err == nil || t.Context().Err() != nil {
					break
				}
				l.refused.Add(1)
				time.Sleep(100 * time.Millisecond)
			}
			l.sent.Add(int64(spans))
		}
	})
	return l
}

func (l *load) end() int {
	close(l.stop)
	l.done.Wait()
	return int(l.sent.Load())
}

// TestARolloutUnderLoadLosesNothing replaces the gateway's pod and then the
// node's, with their volumes, while data flows.
func TestARolloutUnderLoadLosesNothing(t *testing.T) {
	c := startChain(t)
	l := startLoad(t, c.odiglet(t), 100, 20)
	for name, pod := range map[string]live{"gateway": c.gateway, "node": c.node} {
		time.Sleep(2 * time.Second)
		before := time.Now()
		if err := c.ends[name](); err != nil {
			t.Fatal(err)
		}
		t.Logf("the %s's pod took %s to end", name, time.Since(before).Round(time.Millisecond))
		if err := os.RemoveAll(filepath.Join(pod.dir, "queue")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond) // Until the next one runs.
		pod.start(t)
	}
	time.Sleep(2 * time.Second)
	want := l.end()
	testkit.Eventually(t, 30*time.Second, "all is there", func() bool { return c.backend.got("shop") >= want })
	time.Sleep(500 * time.Millisecond) // Is there more than all?
	if got := c.backend.got("shop"); got != want {
		t.Errorf("%d spans were taken, %d arrived", want, got)
	}
	t.Logf("%d spans, none lost", want)
}

// TestAPodEndsWhileTheNextHopIsAway has no gateway when the node collector is
// told to end: it waits for the one that comes.
func TestAPodEndsWhileTheNextHopIsAway(t *testing.T) {
	c := startChain(t)
	if err := c.ends["gateway"](); err != nil {
		t.Fatal(err)
	}
	l := startLoad(t, c.odiglet(t), 100, 20)
	time.Sleep(2 * time.Second)
	want := l.end()
	ended := make(chan error, 1)
	go func() { ended <- c.ends["node"]() }()
	time.Sleep(3 * time.Second)
	c.gateway.start(t)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 20*time.Second, "all is there", func() bool { return c.backend.got("shop") >= want })
	if got := c.backend.got("shop"); got != want || want == 0 {
		t.Errorf("%d spans were taken, %d arrived", want, got)
	}
}
