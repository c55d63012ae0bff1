//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/test/e2e/judge"
)

const (
	// firstSpanWithin is odi's promise, from `odi instrument` to the first request that is seen.
	firstSpanWithin = 5 * time.Second
	// stopsWithin is the same for `odi uninstrument`.
	stopsWithin = 5 * time.Second
)

func (w *world) installByCLI(t *testing.T) {
	w.odi(t, append([]string{"install", "--wait"}, w.cluster.Images.InstallFlags()...)...)
	if err := w.cluster.WaitReady(t.Context(), "odi-system", 5*time.Second); err != nil {
		t.Errorf("odi install --wait returned too early: %v", err)
	}
}

func (w *world) addJaegerByCLI(t *testing.T) {
	w.odi(t, "destination", "add", "jaeger", "--name", "jaeger", "--endpoint", jaeger.OTLPEndpoint)
}

// background is a load that runs while something is done to odi.
type background struct {
	sent sent
	err  error
	done chan struct{}
}

// startLoad sends a steady load for some time; wait for done before reading sent.
func (w *world) startLoad(ctx context.Context, lasts time.Duration, concurrency int) *background {
	b := &background{done: make(chan struct{})}
	go func() {
		defer close(b.done)
		b.sent, b.err = w.tryDrive(ctx, traffic.Load{For: lasts, Concurrency: concurrency, Pause: time.Duration(concurrency) * 20 * time.Millisecond})
	}()
	return b
}

// wait returns the load when it has ended, and fails the test if a request failed.
func (b *background) wait(t *testing.T) sent {
	t.Helper()
	<-b.done
	if b.err != nil {
		t.Fatal(b.err)
	}
	if summary := traffic.Summarise(b.sent.results); summary.Failed > 0 {
		t.Errorf("requests failed meanwhile: %s", summary)
	}
	return b.sent
}

func (w *world) checkFirstSpan(t *testing.T) {
	load := w.startLoad(t.Context(), 15*time.Second, 2)
	time.Sleep(time.Second) // the load is on when odi is told
	told := time.Now()
	w.odi(t, "instrument", "namespace", shop.Namespace)
	t.Logf("odi instrument took %s", time.Since(told).Round(time.Millisecond))
	s := load.wait(t)
	w.expectSpanWithin(t, s, told, firstSpanWithin)
}

// expectSpanWithin fails unless a request that started soon after an instant has a span.
func (w *world) expectSpanWithin(t *testing.T, s sent, after time.Time, within time.Duration) {
	t.Helper()
	var earliest time.Time
	err := stage.Eventually(t.Context(), arrival, 500*time.Millisecond, func(ctx context.Context) (bool, string) {
		var err error
		if earliest, err = w.firstSpan(ctx, s.between(after, after.Add(within))); err != nil {
			return false, err.Error()
		}
		return !earliest.IsZero(), fmt.Sprintf("Jaeger has no span of the load that began within %s of %s", within, after)
	})
	if err != nil {
		t.Fatalf("no span: %v\n%s", err, w.whyNot(t))
	}
	t.Logf("the first span began after %s", earliest.Sub(after).Round(time.Millisecond))
}

// firstSpan returns when the first of a load's spans began, and the zero time if
// there is none. It looks second by second, as a saturating load fills each with
// thousands of spans.
func (w *world) firstSpan(ctx context.Context, s sent) (time.Time, error) {
	for from := s.started; from.Before(s.until); from = from.Add(time.Second) {
		traces, err := w.fetch(ctx, s.between(from, from.Add(time.Second)))
		if err != nil {
			return time.Time{}, err
		}
		var earliest time.Time
		for _, one := range traces {
			for _, span := range one.Spans {
				if !span.Start.Before(from) && (earliest.IsZero() || span.Start.Before(earliest)) {
					earliest = span.Start
				}
			}
		}
		if !earliest.IsZero() {
			return earliest, nil
		}
	}
	return time.Time{}, nil
}

// whyNot is what odi itself says, for the text of a failure.
func (w *world) whyNot(t *testing.T) string {
	t.Helper()
	status := w.tryOdi(t, w.cluster.Kubeconfig, "status")
	describe := w.tryOdi(t, w.cluster.Kubeconfig, "describe", "deployment/frontend", "-n", shop.Namespace)
	return "odi status:\n" + status.stdout + status.stderr +
		"\nodi describe deployment/frontend:\n" + describe.stdout + describe.stderr +
		"\n" + w.cluster.Diagnose(t.Context(), "odi-system")
}

func (w *world) checkUninstrument(t *testing.T) {
	load := w.startLoad(t.Context(), stopsWithin+10*time.Second, 2)
	time.Sleep(2 * time.Second)
	told := time.Now()
	w.odi(t, "uninstrument", "namespace", shop.Namespace)
	s := load.wait(t)
	time.Sleep(3 * time.Second) // what was recorded late must have time to arrive

	traces, err := w.fetch(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var last time.Time
	for _, one := range traces {
		for _, span := range one.Spans {
			if span.Start.After(last) {
				last = span.Start
			}
		}
	}
	if last.IsZero() {
		t.Fatal("no span came before odi uninstrument either")
	}
	t.Logf("the last span began %s after odi uninstrument, of %d spans", last.Sub(told).Round(time.Millisecond), spans(traces))
	if last.Sub(told) > stopsWithin {
		t.Errorf("a span began %s after odi uninstrument, want none after %s", last.Sub(told), stopsWithin)
	}
}

// checkOtherWay installs odi in another way than the CLI, asserts one whole
// trace, and takes it away again.
func (w *world) checkOtherWay(t *testing.T, install, uninstall func(*testing.T), before leftovers) {
	if !t.Run("install", install) {
		return
	}
	t.Run("one whole trace", func(t *testing.T) {
		w.waitInstrumented(t)
		w.learn(t)
		s := w.drive(t, traffic.Load{Requests: 5, Pause: 50 * time.Millisecond})
		w.expectWhole(t, s)
	})
	t.Run("uninstall", uninstall)
	w.expectNothingLeft(t, before)
}

// waitInstrumented waits until spans of every service arrive.
func (w *world) waitInstrumented(t *testing.T) {
	t.Helper()
	err := stage.Eventually(t.Context(), 30*time.Second, time.Second, func(ctx context.Context) (bool, string) {
		s, err := w.tryDrive(ctx, traffic.Load{Requests: 2, Pause: 50 * time.Millisecond})
		if err != nil {
			return false, err.Error()
		}
		time.Sleep(time.Second)
		traces, err := w.fetch(ctx, s)
		if err != nil {
			return false, err.Error()
		}
		return spans(traces) >= judge.SpansPerCheckout(), fmt.Sprintf("%d spans of 2 requests", spans(traces))
	})
	if err != nil {
		t.Fatalf("the shop is not instrumented: %v\n%s", err, w.whyNot(t))
	}
}
