//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/test/e2e/judge"
)

const (
	// arrival bounds how long a span may take from the kernel to Jaeger's answer.
	arrival = 15 * time.Second
	// clockTolerance is how far a span may be from what the client's clock measured.
	clockTolerance = 5 * time.Millisecond
	// mostTraces is more than any one answer should have, and less than Jaeger keeps
	// (it refuses a larger number).
	mostTraces = 15_000
)

// fetch asks for the traces of all services at once, because a trace that is
// not linked to nginx must be seen too.
func (w *world) fetch(ctx context.Context, s sent) ([]trace.Trace, error) {
	traces, err := w.cluster.Jaeger().Traces(ctx, jaeger.Query{From: s.started, To: s.until, Limit: mostTraces})
	if err != nil {
		return nil, err
	}
	return judge.OfMarkers(traces, s.name), nil
}

// complete says that as many spans arrived as so many checkouts make.
func complete(checkouts int) func([]trace.Trace) bool {
	return func(traces []trace.Trace) bool {
		return spans(traces) >= checkouts*judge.SpansPerCheckout()
	}
}

func spans(traces []trace.Trace) int {
	n := 0
	for _, t := range traces {
		n += len(t.Spans)
	}
	return n
}

// byMarker maps each marker to the traces that have a span with it.
func byMarker(traces []trace.Trace) map[string][]trace.Trace {
	found := map[string][]trace.Trace{}
	for _, t := range traces {
		markers := map[string]bool{}
		for _, s := range t.Spans {
			markers[s.Marker()] = true
		}
		for m := range markers {
			found[m] = append(found[m], t)
		}
	}
	return found
}

// learn sends what odi has to see before it links goroutines that a handler
// starts: it must be known that goroutines of their kind end before the answer.
func (w *world) learn(t *testing.T) {
	t.Helper()
	w.drive(t, traffic.Load{Requests: 1000, Concurrency: 10})
}

func (w *world) checkWholeTraces(t *testing.T) {
	w.learn(t)
	s := w.drive(t, traffic.Load{Requests: 20, Pause: 50 * time.Millisecond})
	w.expectWhole(t, s)
}

// expectWhole fails for each checkout of a load that is not one whole trace.
func (w *world) expectWhole(t *testing.T, s sent) {
	t.Helper()
	traces := byMarker(w.tracesOf(t, s, arrival, complete(len(s.results))))
	for _, r := range s.results {
		if wrong := notWhole(shop.Calls, r, traces[r.Marker]); wrong != "" {
			t.Error(wrong)
		}
	}
}

// notWhole says what keeps the traces of a request from being one whole trace; empty if nothing does.
func notWhole(calls []shop.Call, r traffic.Result, found []trace.Trace) string {
	switch {
	case len(found) == 0:
		return fmt.Sprintf("request %s: no trace at all", r.Marker)
	case len(found) > 1:
		return fmt.Sprintf("request %s is in %d traces, want 1:%s", r.Marker, len(found), texts(found))
	case r.TraceID != "" && found[0].ID != r.TraceID:
		return fmt.Sprintf("request %s was sent with trace id %s, its trace is:\n%s", r.Marker, r.TraceID, trace.Text(found[0]))
	}
	if wrong := judge.WholeOf(calls, found[0], r.Marker, r.SpanID); len(wrong) > 0 {
		return fmt.Sprintf("request %s has no whole trace:\n%s\n%s", r.Marker, first(8, wrong), trace.Text(found[0]))
	}
	return ""
}

func texts(traces []trace.Trace) string {
	text := ""
	for _, t := range traces {
		text += "\n" + trace.Text(t)
	}
	return text
}

func (w *world) checkTraceparent(t *testing.T) {
	s := w.drive(t, traffic.Load{Requests: 10, Pause: 50 * time.Millisecond, Traceparent: true})
	w.expectWhole(t, s)
}

func (w *world) checkBodies(t *testing.T) {
	s := w.drive(t, traffic.Load{Requests: 5, Pause: 50 * time.Millisecond, Body: string(make([]byte, 20_000))})
	w.expectWhole(t, s)
}

func (w *world) checkConventions(t *testing.T) {
	s := w.drive(t, traffic.Load{Requests: 3, Pause: 50 * time.Millisecond})
	traces := w.tracesOf(t, s, arrival, complete(len(s.results)))
	if len(traces) == 0 {
		t.Fatal("no trace at all")
	}
	for _, one := range traces {
		var wrong []string
		for _, span := range one.Spans {
			wrong = append(wrong, judge.Conventions(span)...)
		}
		if len(wrong) > 0 {
			t.Errorf("%s\n%s", first(30, wrong), trace.Text(one))
		}
	}
}

// checkDurations compares nginx's server span with the client's clock. The
// client's own clock also measures how long the client waits for a CPU, so a
// round on a busy machine is repeated; no span may ever be outside of what the
// client saw.
func (w *world) checkDurations(t *testing.T) {
	const rounds, requests, mayBeOff = 3, 20, 1
	off := 0
	for range rounds {
		s := w.drive(t, traffic.Load{Requests: requests, Pause: 50 * time.Millisecond})
		off = w.durationsOff(t, s)
		if off <= mayBeOff {
			return
		}
	}
	t.Errorf("in each of %d rounds, more than %d of %d durations were more than %s off, %d in the last",
		rounds, mayBeOff, requests, clockTolerance, off)
}

// durationsOff counts the requests whose span and client disagree.
func (w *world) durationsOff(t *testing.T, s sent) int {
	t.Helper()
	traces := byMarker(w.tracesOf(t, s, arrival, complete(len(s.results))))
	off := 0
	for _, r := range s.results {
		if len(traces[r.Marker]) != 1 {
			t.Errorf("request %s is in %d traces, want 1", r.Marker, len(traces[r.Marker]))
			continue
		}
		front := traces[r.Marker][0].Spans[0]
		if (r.Duration() - front.Duration()).Abs() > clockTolerance {
			off++
			t.Logf("request %s: the client measured %s, the span %s", r.Marker, r.Duration(), front.Duration())
		}
		if !w.foreign && (front.Start.Before(r.Start.Add(-clockTolerance)) || front.End.After(r.End.Add(clockTolerance))) {
			t.Errorf("request %s lasted from %s to %s, its span from %s to %s",
				r.Marker, r.Start, r.End, front.Start, front.End)
		}
	}
	return off
}
