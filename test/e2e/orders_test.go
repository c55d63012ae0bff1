//go:build e2e

package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/test/e2e/judge"
)

// checkOrders deploys a service that keeps orders in PostgreSQL and Redis, and wants each statement
// below the request that made it: of 20 orders one after the other, and of 200 by ten clients.
func (w *world) checkOrders(t *testing.T) {
	w.deployMore(t, shop.Stored, "stored/*.yaml", shop.OrderPath)
	for _, l := range []traffic.Load{
		{Path: shop.OrderPath, Requests: 20, Pause: 50 * time.Millisecond},
		{Path: shop.OrderPath, Requests: 200, Concurrency: 10},
	} {
		w.expectOrders(t, w.drive(t, l))
	}
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
