//go:build e2e

package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/test/e2e/judge"
)

// The load of the check. The warm-up is what a process needs to earn trust.
const (
	warmUp     = 400
	manyTotal  = 2_000
	manyAtOnce = 50
)

// leastLinked is the share of client spans that must have their parent, per service.
var leastLinked = map[string]float64{
	"nginx": 0.9, "frontend": 1, "catalogue": 1, "recommender": 0.99, "inventory": 0.99,
}

func (w *world) checkManyAtOnce(t *testing.T) {
	w.drive(t, traffic.Load{Requests: warmUp, Concurrency: manyAtOnce})
	s := w.drive(t, traffic.Load{Requests: manyTotal, Concurrency: manyAtOnce})
	t.Log(traffic.Summarise(s.results))

	// A gateway on a busy machine may work off its queue for a while; what is counted is whether all comes.
	traces := w.tracesOf(t, s, 90*time.Second, settled(manyTotal))
	want := manyTotal * judge.SpansPerCheckout()
	t.Logf("%d of %d spans in %d traces", spans(traces), want, len(traces))

	wrong := judge.WrongParents(traces)
	for _, one := range wrong[:min(3, len(wrong))] {
		t.Errorf("wrong parent: %s\n%s", one.Why, trace.Text(one.Trace))
	}
	if len(wrong) > 3 {
		t.Errorf("%d wrong parents in all", len(wrong))
	}
	for _, share := range judge.LinkedShares(traces, manyTotal) {
		t.Log(share)
		if share.Ratio() < leastLinked[share.Service] {
			t.Errorf("%s: want at least %g%s", share, leastLinked[share.Service], unlinked(traces, share.Service))
		}
	}
	if got := spans(traces); got < want {
		t.Errorf("%d of %d spans did not arrive", want-got, want)
	}
}

// settled says that all spans arrived, or that none came for three looks.
func settled(checkouts int) func([]trace.Trace) bool {
	all := complete(checkouts)
	last, quiet := 0, 0
	return func(traces []trace.Trace) bool {
		if n := spans(traces); n > last {
			last, quiet = n, 0
		} else {
			quiet++
		}
		return all(traces) || last > 0 && quiet >= 3
	}
}

// unlinked shows one trace with a client span of the service that has no parent.
func unlinked(traces []trace.Trace, service string) string {
	i := slices.IndexFunc(traces, func(t trace.Trace) bool {
		return slices.ContainsFunc(t.Spans, func(s trace.Span) bool {
			return s.Service == service && s.Kind == trace.Client && s.ParentID == ""
		})
	})
	if i < 0 {
		return ""
	}
	return "\n" + trace.Text(traces[i])
}
