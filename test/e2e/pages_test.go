//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

// Of so many requests, a tenth is recorded. Fewer or more than these come by chance less than once in a million times.
const (
	sampledOf                 = 1_000
	leastSampled, mostSampled = 50, 155
	mostUnlinked              = 1
)

// checkPages deploys two services more, in Python and Node.js, and gives them their agents beside the one in Java that
// has its agent already. Then it takes all of it away.
func (w *world) checkPages(t *testing.T) {
	w.deployMore(t, shop.Mixed, "mixed/*.yaml", shop.PagePath)
	agents := []string{"ratings", "reviews"}
	bare := map[string]map[string]string{}
	for _, service := range agents {
		bare[service] = w.namesOf(t, service, shop.PagePath)
	}
	quiet := w.keepBusy(t.Context(), shop.PagePath)
	for _, service := range agents {
		w.odi(t, "instrument", "deployment", service, "-n", shop.Namespace, "--method", "agent", "--rollout", "auto")
	}
	for _, service := range agents {
		w.expectRollout(t, service, odiv1.PhaseDone, "")
	}
	quiet()
	w.expectAgents(t, "ratings", "ratings=python@")
	w.expectAgents(t, "reviews", "reviews=nodejs@")
	for _, service := range agents {
		// Whether enough was answered without the agent depends on when the load began.
		rates := w.workloadOf(t, service).Status.Rollout.ErrorRates
		if len(rates) != 1 || rates[0].Container != service || rates[0].Comparison == odiv1.ComparisonNoneSeen {
			t.Errorf("of the error rate of %s is known %v, want that answers were seen", service, rates)
		}
	}
	t.Run("one whole trace for each, with the names of eBPF", func(t *testing.T) { w.checkWholePages(t, bare) })
	t.Run("a tenth of the traces is recorded, and these whole", w.checkSampledPages)
	t.Run("an agent comes from a registry of the user's own", w.checkOwnRegistry)
	for _, service := range agents {
		w.odi(t, "uninstrument", "deployment", service, "-n", shop.Namespace, "--wait")
	}
}

func (w *world) checkWholePages(t *testing.T, bare map[string]map[string]string) {
	w.waitAnswers(t, shop.PagePath)
	s := w.drive(t, traffic.Load{Path: shop.PagePath, Requests: 20, Pause: 50 * time.Millisecond})
	traces := w.tracesOf(t, s, arrival, func(traces []trace.Trace) bool {
		found := byMarker(traces)
		return !slices.ContainsFunc(s.results, func(r traffic.Result) bool { return notWhole(shop.PageCalls, r, found[r.Marker]) != "" })
	})
	found := byMarker(traces)
	for _, r := range s.results {
		if wrong := notWhole(shop.PageCalls, r, found[r.Marker]); wrong != "" {
			t.Error(wrong)
		}
	}
	for service, names := range bare {
		bare[service] = renamed(names, w.podOf(t, service))
	}
	for _, one := range traces {
		for _, span := range one.Spans {
			byAgent := !strings.HasPrefix(span.Scope, ownScope)
			if byAgent != slices.Contains(shop.WithAgents, span.Service) {
				t.Fatalf("a span of %s has the scope %s:\n%s", span.Service, span.Scope, trace.Text(one))
			}
			want, ok := bare[span.Service]
			if !ok {
				continue
			}
			if diff := cmp.Diff(want, names(span)); diff != "" {
				t.Fatalf("the agent's names differ from those of eBPF (-eBPF +agent):\n%s", diff)
			}
		}
	}
}

// checkSampledPages records a tenth. eBPF decides for what begins at nginx, and an agent for what begins at the ratings,
// whose pod is made anew for it.
func (w *world) checkSampledPages(t *testing.T) {
	sample := func(share string) {
		w.odi(t, "instrument", "namespace", shop.Namespace, "--sample", share)
		w.odi(t, "instrument", "deployment", "ratings", "-n", shop.Namespace, "--method", "agent", "--rollout", "auto", "--sample", share)
	}
	sample("0.1")
	defer sample("1")
	w.remakeSampled(t, "ratings", "0.1")
	w.expectAgents(t, "ratings", "ratings=python@")
	w.waitAnswers(t, shop.PagePath)
	for name, tc := range map[string]struct {
		load  traffic.Load
		calls []shop.Call
	}{
		"eBPF begins":     {traffic.Load{Path: shop.PagePath}, shop.PageCalls},
		"an agent begins": {traffic.Load{Path: "/ratings/", URL: "http://ratings." + shop.Namespace + ":8080"}, shop.RatingCalls},
	} {
		t.Run(name, func(t *testing.T) {
			tc.load.Requests, tc.load.Concurrency = sampledOf, 5
			w.expectSampled(t, w.drive(t, tc.load), tc.calls)
		})
	}
}

// remakeSampled has the pods of a service made anew until none has an agent with another share: the webhook may learn
// of a share a moment after it was told.
func (w *world) remakeSampled(t *testing.T, service, share string) {
	t.Helper()
	asIs := func(p corev1.Pod) bool {
		return slices.ContainsFunc(p.Spec.Containers[0].Env, func(e corev1.EnvVar) bool { return e.Name == "OTEL_TRACES_SAMPLER_ARG" && e.Value == share })
	}
	err := stage.Eventually(t.Context(), time.Minute, time.Second, func(ctx context.Context) (bool, string) {
		pods, err := w.cluster.Pods(ctx, shop.Namespace)
		if err != nil {
			return false, err.Error()
		}
		fit, others := 0, 0
		for _, p := range pods {
			switch {
			case p.Labels["app"] != service:
			case asIs(p):
				fit++
			default:
				others++
				err = errors.Join(err, client.IgnoreNotFound(w.cluster.Client.Delete(ctx, &p)))
			}
		}
		return fit > 0 && others == 0, fmt.Sprintf("of the pods of %s %d have the share %s, %d another: %v", service, fit, share, others, err)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// endsAtFront says that a trace is one span of nginx's. Where its worker's call is not linked, as after a sleep
// (docs/linked.md), that call is a trace of its own, which is recorded or not by itself: on a busy machine 1 of 20,400 (make
// prove-parents beside eight programs that compute).
func endsAtFront(found []trace.Trace) bool {
	return len(found) == 1 && len(found[0].Spans) == 1 && found[0].Spans[0].Service == shop.Front
}

// expectSampled wants about a tenth of a load in whole traces, and nothing at all of the rest.
func (w *world) expectSampled(t *testing.T, s sent, calls []shop.Call) {
	t.Helper()
	last, quiet := 0, 0
	traces := w.tracesOf(t, s, 2*arrival, func(traces []trace.Trace) bool {
		quiet++
		if n := spans(traces); n != last {
			last, quiet = n, 0
		}
		return last > 0 && quiet >= 8 // Longer than any of the agents keeps spans.
	})
	found := byMarker(traces)
	wrong, recorded, unlinked := 0, 0, 0
	for _, r := range s.results {
		if len(found[r.Marker]) == 0 {
			continue
		}
		recorded++
		if endsAtFront(found[r.Marker]) {
			unlinked++
			continue
		}
		if why := notWhole(calls, r, found[r.Marker]); why != "" {
			if wrong++; wrong <= 3 {
				t.Error(why)
			}
		}
	}
	t.Logf("%d of %d requests are recorded, with %d spans; %d end at %s", recorded, len(s.results), spans(traces), unlinked, shop.Front)
	if unlinked > mostUnlinked {
		t.Errorf("%d traces end at %s, want %d at most", unlinked, shop.Front, mostUnlinked)
	}
	if wrong > 0 {
		t.Errorf("%d of %d traces are not whole", wrong, recorded)
	}
	if recorded < leastSampled || recorded > mostSampled {
		t.Errorf("%d of %d requests are recorded, want %d to %d", recorded, len(s.results), leastSampled, mostSampled)
	}
}
