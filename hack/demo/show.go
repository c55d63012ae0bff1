package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/trace"
)

// show prints a trace of the requests that were sent one at a time, and counts
// what arrived of the rest.
func (d *demo) show(ctx context.Context) error {
	if err := d.showTypical(ctx, d.loads[len(d.loads)-1], shop.Services); err != nil {
		return err
	}
	for _, l := range d.loads {
		found, err := d.arrived(ctx, l)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(d.out, "%d requests sent, %d traces in Jaeger\n", len(l.results), len(found)); err != nil {
			return err
		}
	}
	return nil
}

// showTypical prints a trace of a load, and fails if spans of a service are missing. It is the one in the middle by
// how many spans there are: the fullest may be of a request that had to open a connection first.
func (d *demo) showTypical(ctx context.Context, l load, want []string) error {
	if _, err := d.arrived(ctx, l); err != nil {
		return err
	}
	var shown trace.Trace
	err := stage.Eventually(ctx, 30*time.Second, time.Second, func(ctx context.Context) (bool, string) {
		found, err := d.tracesOf(ctx, l)
		if err != nil {
			return false, err.Error()
		}
		if len(found) == 0 {
			return false, "no trace has come"
		}
		slices.SortFunc(found, func(a, b trace.Trace) int { return len(a.Spans) - len(b.Spans) })
		shown = found[len(found)/2]
		return len(shown.Roots()) == 1 && services(shown) == len(want),
			fmt.Sprintf("the typical one of %d traces has spans of %d of %d services", len(found), services(shown), len(want))
	})
	if len(shown.Spans) == 0 {
		return err
	}
	fmt.Fprintln(d.out)
	style := trace.Style{Colour: term.IsTerminal(int(d.out.Fd()))}
	if printErr := trace.Print(d.out, shown, style); printErr != nil {
		return printErr
	}
	fmt.Fprintln(d.out)
	if err != nil {
		return fmt.Errorf("the trace is not whole: %w", err)
	}
	return nil
}

// arrived waits a little for the last traces of a load, and counts what came.
func (d *demo) arrived(ctx context.Context, l load) (found []trace.Trace, err error) {
	var asked error
	err = stage.Eventually(ctx, 15*time.Second, 500*time.Millisecond, func(ctx context.Context) (bool, string) {
		found, asked = d.tracesOf(ctx, l)
		return asked != nil || len(found) >= len(l.results), "traces are on their way"
	})
	if err != nil && len(found) > 0 {
		err = nil // The counts tell.
	}
	return found, errors.Join(err, asked)
}

// tracesOf asks Jaeger for the traces of a load.
func (d *demo) tracesOf(ctx context.Context, l load) ([]trace.Trace, error) {
	found, err := d.cluster.Jaeger().Traces(ctx, jaeger.Query{Service: shop.Front, From: l.started.Add(-time.Second)})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(found, func(t trace.Trace) bool {
		return !slices.ContainsFunc(t.Spans, func(s trace.Span) bool { return strings.HasPrefix(s.Marker(), l.name+"-") })
	}), nil
}

func services(t trace.Trace) int {
	names := map[string]bool{}
	for _, s := range t.Spans {
		names[s.Service] = true
	}
	return len(names)
}

func (d *demo) whereToLook(took time.Duration) error {
	kubectl := "kubectl"
	if !d.foreign {
		kubectl = "go run ./hack/cluster kubectl"
	}
	_, err := fmt.Fprintf(d.out, `
The demo took %s and goes on running. Look around:

  export KUBECONFIG=%s
  bin/odi status
  bin/odi describe deployment/frontend -n shop
  %s get ic,iw,dest,ni -A
  %s get --raw '%s'

The last one is Jaeger's query API. Remove everything with: make demo-down
`, took.Round(time.Second), d.kubeconfig, kubectl, kubectl,
		"/api/v1/namespaces/observability/services/jaeger:query/proxy/api/traces?service=frontend&limit=1")
	return err
}

// down removes what up made. A cluster of the user's own stays.
func (d *demo) down(ctx context.Context) error {
	if !d.foreign {
		return d.local.Down(ctx)
	}
	cluster, err := stage.Open(d.kubeconfig)
	if err != nil {
		return err
	}
	claimed, err := cluster.Claimed(ctx)
	if err != nil {
		return err
	}
	if !claimed {
		fmt.Fprintln(d.out, "The demo does not run on the cluster of KUBECONFIG; nothing was changed.")
		return nil
	}
	if err := d.odi(ctx, "uninstall", "--yes", "--include-crds"); err != nil {
		return err
	}
	return cluster.Leave(ctx)
}
