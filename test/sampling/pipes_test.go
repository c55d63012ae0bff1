package sampling

import (
	"context"
	"fmt"
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/graph"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/signal"
	"github.com/odi-dev/odi/odiglet/spans"
)

func TestMain(m *testing.M) {
	guard.Main() // engines of these tests start the test's binary as one
	os.Exit(m.Run())
}

// pipes is what makes spans and metrics of some processes.
type pipes struct {
	engine   *bpf.Engine
	books    *books.Books
	recorder *red.Recorder
	graph    *graph.Recorder
	pipeline *spans.Pipeline
	origins  map[uint32]*spans.Origin
	single   atomic.Int64 // events of requests that are not recorded

	mu   sync.Mutex
	sent map[pcommon.TraceID]int
}

func (p *pipes) Origin(pid uint32) (*spans.Origin, bool) { o, ok := p.origins[pid]; return o, ok }

// Send implements export.Sink.
func (p *pipes) Send(b signal.Batch) {
	td, err := signal.ReadTraces(b)
	if err != nil {
		panic(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				p.sent[s.TraceID()]++
			}
		}
	}
}

// Close implements export.Sink.
func (p *pipes) Close(context.Context) error { return nil }

// spans are how many there are of each trace.
func (p *pipes) spans() map[pcommon.TraceID]int {
	p.pipeline.Flush()
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.sent)
}

// watchTown makes spans and metrics of the servers until the test ends.
func watchTown(t *testing.T, w town, sampling probe.Sampling) *pipes {
	t.Helper()
	p := &pipes{books: books.New(), recorder: red.NewRecorder(time.Now()), origins: map[uint32]*spans.Origin{}, sent: map[pcommon.TraceID]int{}}
	p.graph = graph.New(graph.Options{Directory: graph.Nobody{}, Resource: p.recorder.Resource}, time.Now())
	p.pipeline = spans.New(spans.Options{Origins: p, Recorder: p.recorder, Graph: p.graph, Books: p.books, Routes: routes.NewBook(), Sink: p, Protocols: protocols.All()})
	for name, one := range w.all() {
		service := identity.Service{Name: name, InstanceID: name}
		p.origins[one.pid] = &spans.Origin{Service: service, Resource: service.Resource(), Traces: true, Metrics: true, Sampling: sampling}
		p.recorder.Add(service.Key(), service.Resource())
	}
	var err error
	if p.engine, err = bpf.Load(bpf.Options{AtOnce: true}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- p.engine.Run(ctx, func(x *probe.Exchange) {
			if x.Tally == nil && x.TraceFlags&probe.Sampled == 0 {
				p.single.Add(1)
			}
			p.pipeline.Handle(x)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := p.engine.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, one := range w.all() {
		if err := p.engine.AddTarget(probe.Target{PID: one.pid, Propagate: true, Sampling: sampling}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// sums are what a histogram says of requests.
type sums struct {
	count uint64
	sum   int64 // bytes
}

// collect sums up the histograms by service, name and what tells the requests apart.
func (p *pipes) collect() (all map[string]sums, slow map[string]uint64) {
	all, slow = map[string]sums{}, map[string]uint64{}
	for _, rm := range p.recorder.Collect(time.Now()).ResourceMetrics().All() {
		service, _ := rm.Resource().Attributes().Get("service.name")
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, point := range m.Histogram().DataPoints().All() {
				text := func(key string) string {
					if v, ok := point.Attributes().Get(key); ok {
						return v.AsString()
					}
					return ""
				}
				key := fmt.Sprintf("%s %s %s %s%s %s", service.Str(), m.Name(), text("http.request.method"), text("http.route"), text("server.address"), text("http.response.status_code"))
				had := all[key]
				had.count += point.Count()
				if m.Unit() == "By" {
					had.sum += int64(point.Sum())
				} else {
					for i := 3; i < point.BucketCounts().Len(); i++ { // above 25 ms
						slow[key] += point.BucketCounts().At(i)
					}
				}
				all[key] = had
			}
		}
	}
	return all, slow
}

// wanted is what the histograms of the calls come to, and how many of them take 30 ms.
func wanted(calls []*call) (all map[string]sums, slow map[string]uint64) {
	all, slow = map[string]sums{}, map[string]uint64{}
	add := func(service, kind, told string, c *call) {
		labels := fmt.Sprintf("%s %s %d", c.method, told, c.status)
		for name, value := range map[string]int{"request.duration": 0, "request.body.size": c.sent, "response.body.size": c.size} {
			key := fmt.Sprintf("%s http.%s.%s %s", service, kind, name, labels)
			all[key] = sums{all[key].count + 1, all[key].sum + int64(value)}
		}
		if c.ms > 0 {
			slow[fmt.Sprintf("%s http.%s.request.duration %s", service, kind, labels)]++
		}
	}
	for _, c := range calls {
		add(c.at, "server", c.path, c)
		if next := c.path[1:3]; c.at == "nginx" && next != "ow" {
			add("nginx", "client", map[string]string{"go": "shop", "py": "kitchen"}[next], c)
			add(next, "server", c.path, c)
		}
	}
	return all, slow
}

// compare waits until the metrics are what the clients have counted, and looks whether they stay so.
func (p *pipes) compare(t *testing.T, calls []*call) {
	t.Helper()
	want, slow := wanted(calls)
	var got map[string]sums
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && !maps.Equal(got, want); time.Sleep(100 * time.Millisecond) {
		got, _ = p.collect()
	}
	time.Sleep(1500 * time.Millisecond)
	got, took := p.collect()
	for key, sums := range want {
		if got[key] != sums {
			t.Errorf("%s: %+v, want %+v", key, got[key], sums)
		}
	}
	for key, sums := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("%s: %+v, which nobody asked for", key, sums)
		}
	}
	for key, n := range slow {
		if took[key] < n {
			t.Errorf("%s: %d took 30 ms, want %d", key, took[key], n)
		}
	}
	p.compareEdges(t, want)
}
