package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/signal"
)

// closing bounds how long the node collector may take for what is queued at
// the end. It bridges a restart of that collector, which a new version of odi
// brings at the same time, and is well below the 30 s that the pod has to end.
const closing = 20 * time.Second

// Options are what the odiglet of a node needs.
type Options struct {
	// Node is the name of the node that it runs on.
	Node string
	// Listen is the address of health and metrics, Query that of the query API.
	Listen, Query string
	Config        *rest.Config
	Log           *slog.Logger
	// Env finds the OTEL_EXPORTER_OTLP_* variables.
	Env export.Lookup
}

// Run instruments the node's selected workloads until ctx ends.
func Run(ctx context.Context, o Options) error {
	if o.Node == "" {
		return errors.New("the name of the node is missing: set NODE_NAME (fieldRef spec.nodeName)")
	}
	accounts := books.New()
	sink, err := o.sink(accounts)
	if err != nil {
		return err
	}
	n, err := o.assemble(accounts, sink)
	if err == nil {
		err = n.run(ctx)
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	return errors.Join(err, sink.Close(bye))
}

func (o Options) sink(accounts *books.Books) (*export.OTLP, error) {
	settings, err := export.EachFromEnv("", o.Env)
	if err != nil {
		return nil, err
	}
	return export.NewOTLP(export.Options{
		Settings: settings, Accounts: export.Accounts{signal.Traces: accounts}, Log: o.Log,
		// The collector is in the same pod, and starts when the odiglet does.
		Backoff: export.Backoff{First: 100 * time.Millisecond, Longest: 2 * time.Second, Spent: 5 * time.Minute},
	})
}

// parts are what runs side by side on a node.
type parts struct {
	watcher  *watcher
	cluster  *cluster
	odiglet  *odiglet.Odiglet
	reporter *reporter
	owners   *owners
	asker    *asker
	server   *server
	diary    *diary
	learn    func(context.Context) surroundings
	beat     *heartbeat // nil where nobody says in which namespace
	witness  *witness   // nil where the receiver is not odi's own
	ready    chan struct{}
}

func (o Options) assemble(accounts *books.Books, sink *export.OTLP) (*parts, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	n := &parts{ready: make(chan struct{})}
	c := newCluster(o.Node, n.onDecision)
	n.cluster = c
	if n.watcher, err = newWatcher(o.Config, scheme, c); err != nil {
		return nil, err
	}
	api, err := client.New(bounded(o.Config), client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("preparing to talk to the API server: %w", err)
	}
	n.owners = newOwners(api, c, o.Log)
	n.asker = newAsker(api, n.owners, c.directory, o.Log)
	n.learn = func(ctx context.Context) surroundings { return o.surroundingsOf(ctx, api) }
	kernel := kernelRelease()
	n.odiglet = load(odiglet.Options{
		Selector: c, Sink: sink, Books: accounts, Log: o.Log, Changed: n.onProcess, Directory: c.directory,
	})
	if err := o.addWitness(n, c); err != nil {
		return nil, err
	}
	c.encrypting = func() map[int]odiv1.TLSFact { return encrypting(n.odiglet.Targets()) }
	n.reporter = newReporter(api, o.Node, o.Log, func() odiv1.NodeInstrumentationStatus {
		instances := n.odiglet.Manager().Instances()
		facts, truncated := c.facts(instances, time.Now())
		return status(kernel, n.odiglet.Features(), instances, facts, truncated)
	})
	if namespace, known := o.Env("POD_NAMESPACE"); known && namespace != "" {
		n.beat = &heartbeat{client: api, namespace: namespace, node: o.Node, log: o.Log, doubted: n.reporter.doubted}
	}
	n.diary = &diary{
		log: o.Log, instances: n.odiglet.Manager().Instances, whose: c.whose,
		dropped: func() map[loss.Name]uint64 { return n.odiglet.Balance().Dropped }, losers: n.odiglet.Whose,
	}
	n.server = &server{
		address: o.Listen, query: o.Query, node: o.Node, kernel: kernel,
		odiglet: n.odiglet, cluster: c, exportError: sink.LastError, ready: n.ready,
	}
	return n, nil
}

// addWitness adds who tells the node collector which pod is which.
func (o Options) addWitness(n *parts, c *cluster) error {
	traces, err := export.FromEnv(signal.Traces, "", o.Env)
	if err != nil {
		return err
	}
	if n.witness, err = newWitness(traces, c, o.Log); err != nil || n.witness == nil {
		return err
	}
	n.witness.instances = n.odiglet.Manager().Instances
	n.witness.judged = func() {
		n.odiglet.Manager().Judged()
		n.reporter.poke()
	}
	return nil
}

// requestTimeout bounds one request, so that an API server that swallows packets
// stops neither the reports nor the search for owners.
const requestTimeout = 15 * time.Second

// bounded is config for single requests. Watches, which last, have their own.
func bounded(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.Timeout = requestTimeout
	return config
}

// load loads the engine. On a kernel that cannot, everything else still works
// and says why there are no spans.
func load(o odiglet.Options) *odiglet.Odiglet {
	loaded, err := odiglet.Load(o)
	if err != nil {
		o.Log.Error("this node gives no spans", "error", err)
		return odiglet.New(o, odiglet.Absent{Why: err})
	}
	return loaded
}

func (n *parts) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.server.run(ctx) })
	n.cluster.surroundings = n.learn(ctx) // Before anybody is named.
	g.Go(func() error {
		// Decisions first: then the first look at the processes attaches at once.
		if err := n.watcher.start(ctx); err != nil {
			return errors.Join(ignoreEnd(ctx, err), n.odiglet.Close())
		}
		g.Go(func() error { return n.reporter.run(ctx) })
		if n.beat != nil {
			g.Go(func() error { n.beat.run(ctx); return nil })
		}
		g.Go(func() error { return n.owners.run(ctx) })
		g.Go(func() error { n.asker.run(ctx); return nil })
		g.Go(func() error {
			n.cluster.memories.run(ctx, n.cluster, n.odiglet.Manager().Instances, n.reporter.poke)
			return nil
		})
		g.Go(func() error { n.diary.run(ctx); return nil })
		g.Go(func() error { n.cluster.answers.run(ctx, n.cluster, n.reporter.poke); return nil })
		if n.witness != nil {
			g.Go(func() error { return n.witness.run(ctx) })
		}
		g.Go(func() error { n.awaitReady(ctx); return nil })
		return n.odiglet.Run(ctx)
	})
	return g.Wait()
}

// ignoreEnd makes an error that the end of ctx caused none.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (n *parts) awaitReady(ctx context.Context) {
	select {
	case <-n.odiglet.Manager().Ready():
		close(n.ready)
	case <-ctx.Done():
	}
}

// onDecision is called when pods or decisions have changed.
func (n *parts) onDecision() {
	n.odiglet.Manager().Reselect()
	n.reporter.poke()
	n.owners.poke()
}

// onProcess is called when what is known of a process may have changed.
func (n *parts) onProcess() { n.reporter.poke() }

func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}
