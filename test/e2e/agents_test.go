//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

const (
	// understood is a service that its language's agent understands.
	understood = "inventory"
	// notUnderstood is served by Python's http.server, of which the agent sees nothing.
	notUnderstood = "recommender"
	// rolloutWithin bounds each change of one pod, with the start of a JVM.
	rolloutWithin = 2 * time.Minute
	// ownScope begins the names of the scopes of eBPF spans.
	ownScope = "odi/"
)

// named are the attributes of a resource by which users find a service.
var named = []string{
	"service.name", "service.namespace", "service.instance.id", "host.name", "k8s.namespace.name", "k8s.deployment.name",
	"k8s.replicaset.name", "k8s.pod.name", "k8s.container.name", "k8s.node.name",
}

// checkAgents asks for the agents of two services: one works, and the other is taken back. Then
// both are given up, and every pod is as its template says.
func (w *world) checkAgents(t *testing.T) {
	before := w.snapshotPods(t)
	bare := w.namesOf(t, understood, "")
	quiet := w.keepBusy(t.Context(), "")
	w.odi(t, "instrument", "deployment", notUnderstood, "-n", shop.Namespace, "--method", "agent", "--rollout", "auto")
	told := time.Now()
	w.odi(t, "instrument", "deployment", understood, "-n", shop.Namespace, "--method", "agent", "--rollout", "auto", "--wait", "--timeout", "3m")
	t.Logf("the agent of %s was alive after %s", understood, time.Since(told).Round(time.Millisecond))
	w.expectRollout(t, notUnderstood, odiv1.PhaseRolledBack, "AgentSeesNothing")
	t.Logf("the agent of %s was taken back after %s", notUnderstood, time.Since(told).Round(time.Millisecond))
	w.expectRollout(t, understood, odiv1.PhaseDone, "")
	w.expectAgents(t, understood, understood+"=java@")
	w.expectAgents(t, notUnderstood, "")
	quiet()
	t.Run("traces are whole with both", func(t *testing.T) { w.checkMixed(t, bare) })
	t.Run("pages are whole through eBPF and three languages' agents", w.checkPages)

	told = time.Now()
	w.odi(t, "instrument", "deployment", understood, "-n", shop.Namespace, "--method", "auto", "--rollout", "auto", "--wait")
	w.expectAgents(t, understood, "")
	t.Logf("the agent of %s was gone after %s", understood, time.Since(told).Round(time.Millisecond))
	for _, service := range []string{understood, notUnderstood} {
		w.odi(t, "uninstrument", "deployment", service, "-n", shop.Namespace, "--wait")
	}
	if diff := cmp.Diff(before.Templates, w.snapshotPods(t).Templates); diff != "" {
		t.Errorf("pod templates changed (-before +after):\n%s", diff)
	}
}

// keepBusy sends light loads, of checkouts unless a path is given, until it is told to stop. Some requests fail while an only pod is
// made anew, which --rollout auto accepts.
func (w *world) keepBusy(ctx context.Context, path string) (stop func()) {
	asked, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-asked:
				return
			default:
				_, _ = w.tryDrive(ctx, traffic.Load{Path: path, Requests: 20, Pause: 100 * time.Millisecond})
			}
		}
	}()
	return func() {
		close(asked)
		<-ended
	}
}

// checkMixed expects one whole trace for each request, whose spans are the agent's for the
// one service and eBPF's for all others. bare is how eBPF named the one.
func (w *world) checkMixed(t *testing.T, bare map[string]string) {
	w.waitServing(t)
	w.learn(t)
	s := w.drive(t, traffic.Load{Requests: 20, Pause: 50 * time.Millisecond})
	w.expectWhole(t, s)
	want := renamed(bare, w.podOf(t, understood))
	for _, one := range w.tracesOf(t, s, arrival, complete(len(s.results))) {
		for _, span := range one.Spans {
			byAgent := !strings.HasPrefix(span.Scope, ownScope)
			if byAgent != (span.Service == understood) {
				t.Errorf("a span of %s has the scope %s:\n%s", span.Service, span.Scope, trace.Text(one))
			}
			if !byAgent {
				continue
			}
			if diff := cmp.Diff(want, names(span)); diff != "" {
				t.Fatalf("the agent's names differ from those of eBPF (-eBPF +agent):\n%s", diff)
			}
		}
	}
}

// namesOf returns the names that eBPF gives a service now, which takes a part in checkouts, or in what is given.
func (w *world) namesOf(t *testing.T, service, path string) map[string]string {
	t.Helper()
	s := w.drive(t, traffic.Load{Path: path, Requests: 3, Pause: 50 * time.Millisecond})
	for _, one := range w.tracesOf(t, s, arrival, func(traces []trace.Trace) bool { return has(traces, service) }) {
		for _, span := range one.Spans {
			if span.Service == service && strings.HasPrefix(span.Scope, ownScope) {
				return names(span)
			}
		}
	}
	t.Fatalf("no eBPF span of %s", service)
	return nil
}

func has(traces []trace.Trace, service string) bool {
	return slices.ContainsFunc(traces, func(one trace.Trace) bool {
		return slices.ContainsFunc(one.Spans, func(s trace.Span) bool { return s.Service == service })
	})
}

func names(span trace.Span) map[string]string {
	all := map[string]string{}
	for _, key := range named {
		all[key] = span.Resource[key]
	}
	return all
}

// renamed is how a container's names are when its pod has another name.
func renamed(names map[string]string, pod string) map[string]string {
	all, was := map[string]string{}, names["k8s.pod.name"]
	for key, value := range names {
		all[key] = strings.ReplaceAll(value, was, pod)
	}
	return all
}

// expectRollout waits for a phase of a Deployment's rollout, with the reason of a failure.
func (w *world) expectRollout(t *testing.T, service, phase, failure string) {
	t.Helper()
	err := stage.Eventually(t.Context(), rolloutWithin, 250*time.Millisecond, func(ctx context.Context) (bool, string) {
		var iw odiv1.InstrumentedWorkload
		if err := w.cluster.Get(ctx, client.ObjectKey{Namespace: shop.Namespace, Name: "deployment-" + service}, &iw); err != nil {
			return false, err.Error()
		}
		rollout := iw.Status.Rollout
		if plan := iw.Spec.Rollout; plan != nil && iw.Status.Canary != nil && plan.Slot != iw.Status.Canary.Slot {
			return false, fmt.Sprintf("the rollout of %s began anew: slot %d was taken, the plan has slot %d", service, iw.Status.Canary.Slot, plan.Slot)
		}
		why := ""
		if len(rollout.Failures) > 0 {
			why = rollout.Failures[0].Reason
		}
		return rollout.Phase == phase && why == failure, fmt.Sprintf("the rollout of %s is %s (%s), want %s (%s)", service, rollout.Phase, why, phase, failure)
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, w.whyNot(t))
	}
}

// expectAgents waits until the only pod of a service is ready and has this at the begin
// of its annotation; empty means no agent.
func (w *world) expectAgents(t *testing.T, service, want string) {
	t.Helper()
	err := stage.Eventually(t.Context(), rolloutWithin, 250*time.Millisecond, func(ctx context.Context) (bool, string) {
		pods, err := w.cluster.Pods(ctx, shop.Namespace)
		if err != nil {
			return false, err.Error()
		}
		of, agents := 0, ""
		for _, p := range pods {
			if p.Labels["app"] == service {
				of, agents = of+1, p.Annotations[odiv1.AnnotationAgents]
			}
		}
		fits := strings.HasPrefix(agents, want) && (want != "" || agents == "")
		return of == 1 && fits, fmt.Sprintf("%d pods of %s with the agents %q, want one with %q", of, service, agents, want)
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, w.whyNot(t))
	}
	if err := w.cluster.WaitReady(t.Context(), shop.Namespace, rolloutWithin); err != nil {
		t.Fatal(err)
	}
}

// podOf names the only pod of a service.
func (w *world) podOf(t *testing.T, service string) string {
	t.Helper()
	pods, err := w.cluster.Pods(t.Context(), shop.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pods {
		if p.Labels["app"] == service {
			return p.Name
		}
	}
	t.Fatalf("no pod of %s", service)
	return ""
}
