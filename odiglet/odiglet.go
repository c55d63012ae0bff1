package odiglet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"golang.org/x/sync/errgroup"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/certificates"
	"github.com/odi-dev/odi/odiglet/detect"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/flows"
	"github.com/odi-dev/odi/odiglet/graph"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/signal"
	"github.com/odi-dev/odi/odiglet/spans"
)

const (
	// DefaultBatchDelay bounds the age of a span at its sending; a person who
	// waits for the first trace does not notice it.
	DefaultBatchDelay = 200 * time.Millisecond
	// DefaultMetricsInterval is the pace of metrics.
	DefaultMetricsInterval = 10 * time.Second
)

// Options are what an odiglet needs; Selector, Sink and Books must be given.
type Options struct {
	Selector attach.Selector
	// Sink stays the caller's to close, after Run.
	Sink  export.Sink
	Books *books.Books
	// LinkMethods keeps odi.link.method on spans.
	LinkMethods bool
	// BatchDelay and MetricsInterval have defaults.
	BatchDelay, MetricsInterval time.Duration
	// Directory knows whose the addresses are that processes talk with; nil: nobody does.
	Directory graph.Directory
	// CgroupPath is handed to the engine; empty lets it look for itself.
	CgroupPath string
	// AtOnce is for programs that live for a moment: see bpf.Options.
	AtOnce bool
	Log    *slog.Logger
	// Changed is called after what is known of a process has changed. May be nil.
	Changed func()
}

// Engine is the kernel engine (bpf.Engine) or what stands in for it.
type Engine interface {
	attach.Engine
	flows.Source
	certificates.Source
	Run(ctx context.Context, handle func(*probe.Exchange)) error
	Features() []probe.Feature
	Drops() map[string]uint64
	Losers() map[bpf.Loser]uint64
	Stats() (bpf.Stats, error)
	Close() error
}

// Odiglet is one engine and what feeds and empties it.
type Odiglet struct {
	engine   Engine
	manager  *attach.Manager
	pipeline *spans.Pipeline
	recorder *red.Recorder
	flows    *flows.Book
	graph    *graph.Recorder
	expiries *certificates.Book
	sink     export.Sink
	routes   *routes.Book
	books    *books.Books
	named    namedLosses
	interval time.Duration
	close    sync.Once
}

// Load loads the engine into the kernel. Nothing is attached to a process before Run.
func Load(o Options) (*Odiglet, error) {
	engine, err := bpf.Load(bpf.Options{CgroupPath: o.CgroupPath, AtOnce: o.AtOnce, Log: o.Log})
	if err != nil {
		return nil, fmt.Errorf("loading the engine: %w", err)
	}
	return New(o, engine), nil
}

// New puts an odiglet around an engine, which it owns from then on.
func New(o Options, engine Engine) *Odiglet {
	recorder, book := red.NewRecorder(time.Now()), routes.NewBook()
	manager := attach.New(attach.Options{
		Engine: engine, Detector: detect.New(), Selector: o.Selector, Scanner: attach.Proc{},
		Recorder: recorder, Log: o.Log, Changed: o.Changed,
	})
	if o.Directory == nil {
		o.Directory = graph.Nobody{}
	}
	edges := graph.New(graph.Options{Directory: o.Directory, Resource: recorder.Resource}, time.Now())
	return &Odiglet{
		engine:  engine,
		manager: manager,
		pipeline: spans.New(spans.Options{
			Origins: manager, Recorder: recorder, Graph: edges, Books: o.Books, Routes: book, Sink: o.Sink, Protocols: protocols.All(),
			LinkMethods: o.LinkMethods, Delay: cmp.Or(o.BatchDelay, DefaultBatchDelay),
		}),
		recorder: recorder,
		flows:    flows.New(flows.Options{Source: engine, Origins: manager, Lives: manager.Attached, Log: o.Log}, time.Now()),
		expiries: certificates.New(certificates.Options{Source: engine, Origins: manager, Lives: manager.Attached}),
		graph:    edges,
		sink:     o.Sink,
		routes:   book,
		books:    o.Books,
		interval: cmp.Or(o.MetricsInterval, DefaultMetricsInterval),
	}
}

// Ladder says what this kernel can do: it loads the engine and lets it go again.
func Ladder(log *slog.Logger) []probe.Feature {
	engine, err := bpf.Load(bpf.Options{Log: log})
	if err != nil {
		return Absent{Why: err}.Features()
	}
	defer engine.Close()
	return engine.Features()
}

// Run works until ctx ends; then it hands what the kernel still holds, and the
// last metrics, to the sink, and detaches from everything.
func (o *Odiglet) Run(ctx context.Context) error {
	collectLess()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return o.engine.Run(ctx, o.pipeline.Handle) })
	g.Go(func() error { return o.manager.Run(ctx) })
	g.Go(func() error { o.followFlows(ctx); return nil })
	g.Go(func() error { o.pipeline.Run(ctx, o.interval); return nil })
	g.Go(func() error { trimWhenSettled(ctx, o.manager.Ready()); return nil })
	g.Go(func() error { o.nameNowAndThen(ctx); return nil })
	err := g.Wait()
	o.nameLosses()
	o.manager.Release()
	o.pipeline.Collect(time.Now())
	o.collectFlows(time.Now(), true)
	o.pipeline.Flush()
	return errors.Join(err, o.Close())
}

// followFlows sends how connections are doing, who asks whom, and when certificates expire, every interval, until ctx ends.
func (o *Odiglet) followFlows(ctx context.Context) {
	tick := time.NewTicker(o.interval)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			o.collectFlows(now, false)
		case <-ctx.Done():
			return
		}
	}
}

func (o *Odiglet) collectFlows(now time.Time, last bool) {
	for _, md := range []pmetric.Metrics{o.flows.Collect(now), o.expiries.Collect(now), o.graph.Collect(now, last)} {
		for _, b := range signal.OfMetrics(md) {
			o.sink.Send(b)
		}
	}
}

// Close detaches from everything. It may be called before Run, and twice.
func (o *Odiglet) Close() error {
	var err error
	o.close.Do(func() { err = o.engine.Close() })
	return err
}

// Manager is the one who knows the processes.
func (o *Odiglet) Manager() *attach.Manager { return o.manager }

// Routes lists the routes of the service that a process is part of, the most used first.
func (o *Odiglet) Routes(pid uint32) []routes.Listed {
	origin, ok := o.manager.Origin(pid)
	if !ok {
		return nil
	}
	return o.routes.List(routes.Service{Namespace: origin.Service.Namespace, Name: origin.Service.Name})
}

// Features is the feature ladder of this kernel.
func (o *Odiglet) Features() []probe.Feature { return o.engine.Features() }

// Targets tells how the requests of each target are linked.
func (o *Odiglet) Targets() []bpf.TargetStatus { return o.engine.Targets() }

// Stats is what the engine costs.
func (o *Odiglet) Stats() (bpf.Stats, error) { return o.engine.Stats() }

// Overflowed is how many requests did not get a metric series of their own.
func (o *Odiglet) Overflowed() uint64 { return o.recorder.Overflowed() + o.graph.Overflowed() }

// Balance is the state of the books.
func (o *Odiglet) Balance() books.Balance {
	requests, _, _ := o.Lost()
	return o.books.Balance(requests)
}

// Lost is what the kernel lost, or left out on purpose: requests, which count in the books; process
// events, which the next scan of /proc makes up for; and parts of requests that
// have their span all the same, such as a link or a header.
func (o *Odiglet) Lost() (requests, events, parts map[string]uint64) {
	requests, events, parts = make(map[string]uint64), make(map[string]uint64), make(map[string]uint64)
	of := map[loss.Class]map[string]uint64{loss.Lost: requests, loss.Intended: requests, loss.Recovered: events, loss.Incomplete: parts}
	for reason, n := range o.engine.Drops() {
		of[loss.Of(loss.Name(reason)).Class][reason] = n
	}
	return requests, events, parts
}
