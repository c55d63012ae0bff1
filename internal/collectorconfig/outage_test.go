package collectorconfig

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/odi-dev/odi/internal/testkit"
)

// outage is how long the backends are away; make prove-outage makes it ten minutes.
var outage = flag.Duration("outage", 5*time.Second, "how long backends are away in TestDeadBackendsCostTheirOwnLanesAlone")

const (
	outageRate  = 2000 // spans a second
	outageBatch = 100
)

// A clocked backend knows how long spans took to reach it.
type clocked struct {
	*backend
	mu     sync.Mutex
	delays []time.Duration // of batches
}

// Export implements ptraceotlp.GRPCServer.
func (c *clocked) Export(ctx context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	for _, rs := range r.Traces().ResourceSpans().All() {
		began := rs.ScopeSpans().At(0).Spans().At(0).StartTimestamp().AsTime()
		c.mu.Lock()
		c.delays = append(c.delays, time.Since(began))
		c.mu.Unlock()
	}
	return c.backend.Export(ctx, r)
}

// quantiles are the median, the 99th of a hundred, and the worst.
func (c *clocked) quantiles() [3]time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.delays) == 0 {
		return [3]time.Duration{}
	}
	slices.Sort(c.delays)
	at := func(part float64) time.Duration {
		return c.delays[int(part*float64(len(c.delays)-1))].Round(time.Millisecond)
	}
	return [3]time.Duration{at(0.5), at(0.99), at(1)}
}

// hang makes a backend that takes connections and never says a word.
func hang(t *testing.T, b *backend) {
	t.Helper()
	listener, err := net.Listen("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // It ends the loop below.
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = connection.Close() })
		}
	}()
}

// ordinary spans are as large as those of a web service.
func ordinary(n int) ptraceotlp.ExportRequest {
	data := ptrace.NewTraces()
	rs := data.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("k8s.namespace.name", "shop")
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	now := pcommon.NewTimestampFromTime(time.Now())
	for i := range n {
		s := spans.AppendEmpty()
		s.SetTraceID([16]byte{byte(i), 1: 1, 15: byte(i >> 8)})
		s.SetSpanID([8]byte{byte(i), 7: 1})
		s.SetName("GET /orders/{id}")
		s.SetStartTimestamp(now)
		s.SetEndTimestamp(now)
		for key, value := range map[string]string{
			"http.request.method": "GET", "url.scheme": "http", "url.path": fmt.Sprint("/orders/", i), "http.route": "/orders/{id}",
			"server.address": "orders.shop.svc.cluster.local", "client.address": "10.244.1.17", "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
			"network.peer.address": "10.244.1.17", "network.protocol.version": "1.1",
		} {
			s.Attributes().PutStr(key, value)
		}
		s.Attributes().PutInt("http.response.status_code", 200)
	}
	return ptraceotlp.NewExportRequestFromTraces(data)
}

// loaded is what was sent, and the most memory and disk that the gateway took meanwhile.
type loaded struct {
	sent, rss int
	disk      int64
}

// load sends spans at outageRate by as many calls at once as a node collector makes.
func (g *liveGateway) load(t *testing.T, long time.Duration) loaded {
	t.Helper()
	const callers = 4
	var (
		calls, taken atomic.Int64
		failed       = make(chan error, callers)
		ended        = make(chan struct{})
		began        = time.Now()
		wg           sync.WaitGroup
	)
	for range callers {
		wg.Go(func() {
			for time.Since(began) < long {
				call := calls.Add(1) - 1
				time.Sleep(time.Until(began.Add(time.Second * time.Duration(call*outageBatch) / outageRate))) // What is late is made up for.
				if _, err := g.sender.Export(t.Context(), ordinary(outageBatch)); err != nil {
					failed <- fmt.Errorf("after %d calls: %w", call, err)
					return
				}
				taken.Add(outageBatch)
			}
		})
	}
	go func() { wg.Wait(); close(ended) }()
	l := loaded{}
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for going := true; going; {
		select {
		case <-tick.C:
		case <-ended:
			going = false
		}
		l.rss, l.disk = max(l.rss, g.number(t, `otelcol_process_memory_rss`)), max(l.disk, g.onDisk(t))
	}
	l.sent = int(taken.Load())
	close(failed)
	for err := range failed {
		t.Fatalf("the gateway refuses: %v", err)
	}
	return l
}

// TestDeadBackendsCostTheirOwnLanesAlone has one backend that is not there and
// one that hangs, under load: the third gets every span, soon, and the gateway
// stays small. Afterwards the first gets what its queue had room for.
func TestDeadBackendsCostTheirOwnLanesAlone(t *testing.T) {
	alive, dead, silent := &clocked{backend: newBackend(t)}, newBackend(t), newBackend(t)
	alive.server = grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(alive.server, alive)
	serve(t, alive.backend)
	lanes := []Lane{laneTo(t, "odi-system", "alive", alive.backend), laneTo(t, "odi-system", "dead", dead), laneTo(t, "odi-system", "silent", silent)}
	if short := *outage < time.Minute; short {
		lanes[1].Queue, lanes[2].Queue = 2<<20, 2<<20 // They are full before it is over.
	}
	g := startGateway(t, nil, lanes...)
	hang(t, silent)
	began := time.Now()
	l := g.load(t, *outage)
	sent, rss, disk, rate := l.sent, l.rss, l.disk, float64(l.sent)/time.Since(began).Seconds()
	testkit.Eventually(t, 20*time.Second, "the living one has every span", func() bool { return alive.got("shop") >= sent })
	delays := alive.quantiles()
	kept := g.number(t, `odi_queue_items\{.*traces.*/dead/`)
	refused := g.number(t, `otelcol_exporter_enqueue_failed_spans.*/dead/`)
	disk = max(disk, g.onDisk(t))
	dead.start(t)
	back := time.Now()
	testkit.Eventually(t, time.Minute, "the one that is back has what was kept", func() bool { return dead.got("shop") >= kept })
	t.Logf("%s at %.0f spans/s: alive %d of %d, median %s, 99 %% within %s, the worst %s; dead: %d kept, %d refused, back within %s; disk at most %d MiB, memory at most %d MiB",
		*outage, rate, alive.got("shop"), sent, delays[0], delays[1], delays[2], kept, refused, time.Since(back).Round(time.Second), disk>>20, rss>>20)
	if *outage >= time.Minute && rate < 0.98*outageRate {
		t.Errorf("%.0f spans/s were sent, want %d", rate, outageRate)
	}
	if got := alive.got("shop"); got != sent {
		t.Errorf("the living one has %d spans of %d", got, sent)
	}
	if delays[2] > 5*time.Second {
		t.Errorf("a span reached the living one after %s", delays[2])
	}
	if kept == 0 || kept+refused != sent {
		t.Errorf("the dead one: %d kept and %d refused are not %d", kept, refused, sent)
	}
	var bound int64
	for _, lane := range lanes {
		bound += cmp.Or(lane.Queue, laneQueue)
	}
	if disk > bound*5/4 || rss > 400<<20 {
		t.Errorf("%d bytes on the disk of at most %d, %d bytes of memory", disk, bound, rss)
	}
}
