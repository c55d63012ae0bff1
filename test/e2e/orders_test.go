//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/test/e2e/judge"
)

// checkOrders deploys a service that keeps orders in PostgreSQL, over TLS, and in Redis, and one that it asks by
// gRPC, which asks Redis too. It wants each statement below the request that made it: of 20 orders one after the
// other, and of 200 by ten clients, which come by HTTPS. What PostgreSQL saw of them is counted, too.
func (w *world) checkOrders(t *testing.T) {
	w.deployMore(t, shop.Stored, "stored/*.yaml", shop.OrderPath)
	w.expectOrderEdges(t)
	for _, l := range []traffic.Load{
		{URL: shop.SecureURL, Path: shop.OrderPath, Requests: 20, Pause: 50 * time.Millisecond},
		{URL: shop.SecureURL, Path: shop.OrderPath, Requests: 200, Concurrency: 10},
	} {
		time.Sleep(time.Second) // nothing from before is counted as of the load
		s := w.drive(t, l)
		w.expectOrders(t, s)
		w.expectStored(t, s)
	}
}

// expectStored wants a span of PostgreSQL's own for each statement that it was asked for meanwhile. No trace
// context goes into statements: each begins a trace.
func (w *world) expectStored(t *testing.T, s sent) {
	t.Helper()
	from, to := s.bounds()
	var answered []trace.Span
	err := stage.Eventually(t.Context(), arrival, 500*time.Millisecond, func(ctx context.Context) (bool, string) {
		traces, err := w.cluster.Jaeger().Traces(ctx, jaeger.Query{From: from, To: to, Limit: mostTraces})
		if err != nil {
			return false, err.Error()
		}
		var asked int
		asked, answered = judge.Stored(traces)
		return asked >= len(s.results) && asked == len(answered),
			fmt.Sprintf("of %d orders there were %d statements, of which %s tells %d", len(s.results), asked, shop.Database, len(answered))
	})
	if err != nil {
		t.Error(err)
	}
	for _, span := range answered {
		if span.ParentID != "" || !span.Encrypted() {
			t.Errorf("%s of %s has the parent %q, want none; over TLS: %t", span.Name, span.Service, span.ParentID, span.Encrypted())
		}
	}
}

// bounds are when the first request of a load began and when the last one ended, by clocks that may be a little off.
func (s sent) bounds() (from, to time.Time) {
	first := slices.MinFunc(s.results, func(a, b traffic.Result) int { return a.Start.Compare(b.Start) })
	last := slices.MaxFunc(s.results, func(a, b traffic.Result) int { return a.End.Compare(b.End) })
	return first.Start.Add(-clockTolerance), last.End.Add(clockTolerance)
}

func (w *world) expectOrders(t *testing.T, s sent) {
	t.Helper()
	whole := func(r traffic.Result, found []trace.Trace) bool {
		return len(found) == 1 && len(judge.WholeOrder(found[0], r.Marker)) == 0
	}
	traces := byMarker(w.tracesOf(t, s, arrival, func(traces []trace.Trace) bool {
		found := byMarker(traces)
		return !slices.ContainsFunc(s.results, func(r traffic.Result) bool { return !whole(r, found[r.Marker]) })
	}))
	for _, r := range s.results {
		found := traces[r.Marker]
		switch {
		case len(found) != 1:
			t.Errorf("order %s is in %d traces, want 1:%s", r.Marker, len(found), texts(found))
		case !whole(r, found):
			t.Errorf("order %s has no whole trace:\n%s\n%s", r.Marker, first(8, judge.WholeOrder(found[0], r.Marker)), trace.Text(found[0]))
		}
	}
}
