package collectorconfig

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/odi-dev/odi/internal/testkit"
)

// number is the value of a series.
func (g *liveGateway) number(t *testing.T, pattern string) int {
	t.Helper()
	line := g.metric(pattern)
	value, err := strconv.ParseFloat(line[strings.LastIndex(line, " ")+1:], 64)
	if err != nil {
		return 0 // It is not there yet.
	}
	return int(value)
}

// onDisk adds up the files of the gateway's queues.
func (g *liveGateway) onDisk(t *testing.T) int64 {
	t.Helper()
	var sum int64
	err := filepath.WalkDir(filepath.Join(g.dir, "queue"), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // Files come and go.
		}
		if info, err := entry.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestAFullQueueIsItsOwnersLossAlone(t *testing.T) {
	alive, dead := newBackend(t), newBackend(t)
	alive.start(t)
	full := laneTo(t, "odi-system", "dead", dead)
	full.Queue = 1 << 20
	g := startGateway(t, nil, laneTo(t, "odi-system", "alive", alive), full)
	const batches = 2000
	g.send(t, "shop", batches)
	want := 100 * batches
	testkit.Eventually(t, 30*time.Second, "the living one has every span", func() bool { return alive.got("shop") >= want })
	kept, refused := g.number(t, `odi_queue_items\{.*traces.*dead`), g.number(t, `otelcol_exporter_enqueue_failed_spans`)
	if refused == 0 || kept+refused != want {
		t.Errorf("%d spans wait for the dead backend and %d were refused, that is not %d", kept, refused, want)
	}
	if size := g.onDisk(t); size < 1<<19 || size > 3<<19 {
		t.Errorf("%d bytes lie on the disk for a queue of %d", size, full.Queue)
	}
	if got := alive.got("shop"); got != want {
		t.Errorf("the living backend has %d spans, want %d", got, want)
	}
	dead.start(t)
	testkit.Eventually(t, 30*time.Second, "the dead one is back and has what was kept", func() bool { return dead.got("shop") == kept })
	testkit.Eventually(t, 10*time.Second, "the disk is empty again", func() bool { return g.onDisk(t) < 64<<10 })
	t.Logf("of %d spans %d were kept in 1 MiB, %d refused", want, kept, refused)
}

func TestADestinationMadeAnewInheritsNothing(t *testing.T) {
	b, probe := newBackend(t), newBackend(t)
	probe.start(t)
	first, second := laneTo(t, "shop", "own", b), laneTo(t, "shop", "own", b)
	first.UID, second.UID = "uid-of-the-first", "uid-of-the-second"
	g := startGateway(t, nil, first, laneTo(t, "odi-system", "probe", probe))
	g.send(t, "shop", 5)
	testkit.Eventually(t, 10*time.Second, "the spans wait", func() bool { return g.number(t, `odi_queue_items\{.*traces.*uid-of-the-first`) == 500 })

	g.configure(t, second, laneTo(t, "odi-system", "probe", probe))
	testkit.Eventually(t, 20*time.Second, "the other's lane is there", func() bool { return g.metric(`odi_queue_items\{.*uid-of-the-second`) != "" })
	b.start(t)
	g.send(t, "shop", 2)
	testkit.Eventually(t, 20*time.Second, "the new owner has what came since", func() bool { return b.got("shop") >= 200 })
	testkit.Eventually(t, 10*time.Second, "nothing waits", func() bool { return g.number(t, `odi_queue_items\{.*traces.*uid-of-the-second`) == 0 })
	if got := b.got("shop"); got != 200 {
		t.Errorf("the new owner got %d spans, %d of them its predecessor's", got, got-200)
	}
}

// TestADamagedQueueStopsNobody damages all that lies on the disk: the running
// gateway goes on, starts anew with it, and says what was lost.
func TestADamagedQueueStopsNobody(t *testing.T) {
	alive, dead := newBackend(t), newBackend(t)
	alive.start(t)
	lanes := []Lane{laneTo(t, "odi-system", "alive", alive), laneTo(t, "odi-system", "dead", dead)}
	g := startGateway(t, nil, lanes...)
	for range 20 {
		g.send(t, "shop", 10)
		time.Sleep(10 * time.Millisecond) // For more than one item.
	}
	testkit.Eventually(t, 10*time.Second, "the spans wait", func() bool { return g.number(t, `odi_queue_items\{.*traces.*dead`) == 20_000 })
	files, err := filepath.Glob(filepath.Join(g.dir, "queue", "*", "item-*"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for i, file := range files {
		content, err := os.ReadFile(file)
		if err != nil || len(content) == 0 {
			continue // The living one's come and go.
		}
		if content[len(content)/2] ^= 0xff; i%2 == 0 {
			content = content[:len(content)/2]
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g.configure(t, append(lanes, laneOf(t, destination("odi-system", "more", "debug", nil)))...)
	testkit.Eventually(t, 20*time.Second, "the gateway starts with what lies there", func() bool {
		return g.healthy() && g.metric(`otelcol_exporter_.*more`) != "" || g.number(t, `odi_queue_damaged_items.*traces.*dead`) > 0
	})
	g.send(t, "shop", 10)
	testkit.Eventually(t, 20*time.Second, "the living one has all", func() bool { return alive.got("shop") >= 21_000 })
	dead.start(t)
	testkit.Eventually(t, 30*time.Second, "the other one has what came since", func() bool { return dead.got("shop") >= 1000 })
	testkit.Eventually(t, 20*time.Second, "the damage is counted", func() bool { return g.number(t, `odi_queue_damaged_items.*traces.*dead`) > 1 })
	t.Logf("%d files were damaged, %d counted, %d spans arrived", len(files), g.number(t, `odi_queue_damaged_items.*traces.*dead`), dead.got("shop"))
}

// A circle is a backend that sends all that it gets back to the gateway, as a
// collector of the user's could.
type circle struct {
	*backend
	gateway ptraceotlp.GRPCClient
}

// Export implements ptraceotlp.GRPCServer.
func (c *circle) Export(ctx context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	answer, err := c.backend.Export(ctx, r)
	if err == nil && r.Traces().SpanCount() > 0 {
		_, err = c.gateway.Export(ctx, r)
	}
	return answer, err
}

func TestWhatComesBackIsNotSentAgain(t *testing.T) {
	back, other := newBackend(t), newBackend(t)
	other.start(t)
	g := startGateway(t, nil, laneTo(t, "odi-system", "back", back), laneTo(t, "odi-system", "other", other))
	back.server = grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(back.server, &circle{back, g.sender})
	serve(t, back)
	g.send(t, "shop", 1)
	testkit.Eventually(t, 20*time.Second, "what came back is counted", func() bool {
		return g.number(t, `odi_entry_dropped.*reason="returned"`) == 100
	})
	time.Sleep(2 * time.Second) // A second round would take 200 ms.
	if back.got("shop") != 100 || other.got("shop") != 100 {
		t.Errorf("the circle saw %d spans and the other backend %d, want each of 100 once", back.got("shop"), other.got("shop"))
	}
}

func TestTheMarksOfMemoryAreInOrder(t *testing.T) {
	for name, c := range examples(t) {
		limiter, _ := c.Processors["memory_limiter"].(object)
		force, _ := limiter["limit_percentage"].(int)
		spike, _ := limiter["spike_limit_percentage"].(int)
		memory, _ := c.Extensions["odi_memory"].(object)
		collect, _ := memory["limit_percentage"].(int)
		if collect == 0 || collect+5 > force-spike || force+10 > 100 {
			t.Errorf("%s: Go collects garbage from %d %% on, data is refused from %d %% on, at %d %% it is too late", name, collect, force-spike, force)
		}
	}
}
