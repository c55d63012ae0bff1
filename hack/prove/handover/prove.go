package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

const (
	// clients send a load together, so that a slow request does not hold up the others.
	clients = 5
	// slice is how long one load lasts. The next one follows at once; each opens connections of
	// its own, as clients behind a Service do.
	slice = 5 * time.Second
	// arrival is how long the last spans may take to Jaeger.
	arrival = 30 * time.Second
	// readyWithin bounds a change of the number of pods.
	readyWithin = 3 * time.Minute
)

// paths come before the marker of a request to a service itself.
var paths = map[string]string{"inventory": "/stock/", "ratings": "/ratings/", "reviews": "/reviews/"}

// prover is one run.
type prover struct {
	rate, pods int
	still      time.Duration
	cluster    *stage.Cluster
}

// sent is what the clients know of a slice.
type sent struct {
	started time.Time
	results []traffic.Result
}

// proveAll returns how many requests of all services were not told as they should be.
func (p *prover) proveAll(ctx context.Context, services []string) (int, error) {
	cluster, err := open(ctx)
	if err != nil {
		return 0, err
	}
	p.cluster = cluster
	faults := 0
	for _, service := range services {
		if paths[service] == "" {
			return 0, fmt.Errorf("unknown service %q; it is one of %v", service, shop.WithAgents)
		}
		v, err := p.prove(ctx, service)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", service, err)
		}
		fmt.Print(v.table(service))
		faults += v.faults()
	}
	return faults, nil
}

// prove takes one service from eBPF to the agent and back under load.
func (p *prover) prove(ctx context.Context, service string) (verdict, error) {
	if err := p.instrument(ctx, service, "auto"); err != nil {
		return verdict{}, err
	}
	if err := p.scale(ctx, service, p.pods); err != nil {
		return verdict{}, err
	}
	load, stop := p.keepBusy(ctx, service)
	err := p.change(ctx, service)
	stop()
	slices, loadErr := load()
	if err != nil {
		return verdict{}, err
	}
	if loadErr != nil {
		return verdict{}, loadErr
	}
	if err := p.scale(ctx, service, 1); err != nil {
		return verdict{}, err
	}
	return p.judge(ctx, service, slices)
}

// change gives the service its agent and takes it back.
func (p *prover) change(ctx context.Context, service string) error {
	for _, method := range []string{"agent", "auto"} {
		if err := pause(ctx, p.still); err != nil {
			return err
		}
		told := time.Now()
		if err := p.instrument(ctx, service, method); err != nil {
			return err
		}
		if err := p.cluster.WaitReady(ctx, shop.Namespace, readyWithin); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s: method %s for %d pods took %s\n", service, method, p.pods, time.Since(told).Round(100*time.Millisecond))
	}
	return pause(ctx, p.still)
}

func (p *prover) instrument(ctx context.Context, service, method string) error {
	_, err := stage.Run(ctx, stage.Command{
		Env: []string{"KUBECONFIG=" + p.cluster.Kubeconfig},
		Args: []string{
			"bin/odi", "instrument", "deployment", service, "-n", shop.Namespace, "--method", method, "--rollout", "auto", "--wait", "--timeout", "5m",
		},
	})
	return err
}

func (p *prover) scale(ctx context.Context, service string, pods int) error {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: shop.Namespace, Name: service}}
	patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, pods))
	if err := p.cluster.Patch(ctx, d, patch); err != nil {
		return fmt.Errorf("scaling %s: %w", service, err)
	}
	return p.cluster.WaitReady(ctx, shop.Namespace, readyWithin)
}

// keepBusy sends slices one after the other until stop is called; load then waits for the last.
func (p *prover) keepBusy(ctx context.Context, service string) (load func() ([]sent, error), stop func()) {
	asked := make(chan struct{})
	group, ctx := errgroup.WithContext(ctx)
	var all []sent
	group.Go(func() error {
		for n := 1; ; n++ {
			select {
			case <-asked:
				return nil
			default:
			}
			s := sent{started: time.Now()}
			var err error
			s.results, err = p.cluster.Drive(ctx, traffic.Load{
				URL: "http://" + service + "." + shop.Namespace + ":8080", Path: paths[service], Name: fmt.Sprintf("h%d-%d", time.Now().Unix(), n),
				For: slice, Concurrency: clients, Pause: clients * time.Second / time.Duration(p.rate), Traceparent: true,
			})
			if err != nil {
				return err
			}
			all = append(all, s)
		}
	})
	return func() ([]sent, error) {
		err := group.Wait()
		return all, err
	}, func() { close(asked) }
}

// judge reads back what became of each request. It asks again until nothing is missing or the time is over.
func (p *prover) judge(ctx context.Context, service string, slices []sent) (verdict, error) {
	var all verdict
	for _, s := range slices {
		var v verdict
		deadline := time.Now().Add(arrival)
		for {
			spans, err := p.spansOf(ctx, service, s)
			if err != nil {
				return verdict{}, err
			}
			v = judge(service, s.results, spans)
			if v.faults() == 0 || time.Now().After(deadline) {
				break
			}
			if err := pause(ctx, time.Second); err != nil {
				return verdict{}, err
			}
		}
		all = all.plus(v)
	}
	return all, nil
}

// spansOf returns the traces in which the service had a part, by id.
func (p *prover) spansOf(ctx context.Context, service string, s sent) (map[string][]trace.Span, error) {
	found, err := p.cluster.Jaeger().Traces(ctx, jaeger.Query{
		Service: service, From: s.started.Add(-time.Second), To: s.started.Add(slice + 20*time.Second),
	})
	if err != nil {
		return nil, err
	}
	spans := make(map[string][]trace.Span, len(found))
	for _, t := range found {
		spans[t.ID] = t.Spans
	}
	return spans, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
