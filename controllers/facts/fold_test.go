package facts

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

var (
	goRuntime   = odiv1.Runtime{Language: "go", Version: "1.26.8", Libc: "static"}
	javaRuntime = odiv1.Runtime{Language: "java", Version: "17.0.9", Libc: "glibc"}
)

func decided(method odiv1.Method, names ...string) []odiv1.ContainerDecision {
	var list []odiv1.ContainerDecision
	for _, name := range names {
		d := odiv1.ContainerDecision{Name: name, Method: method, Reason: odiv1.ReasonMethodEBPF}
		if method == odiv1.MethodNone {
			d.Reason, d.Message = odiv1.ReasonMethodNone, "Switched off."
		}
		list = append(list, d)
	}
	return list
}

// fact is of a container whose pods have two processes each.
func fact(container string, runtime odiv1.Runtime, pods, attachedPods int32) odiv1.ContainerFact {
	return odiv1.ContainerFact{
		Namespace: "shop", Workload: odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: "cart"},
		Container: container, Runtime: runtime, Pods: pods, AttachedPods: attachedPods, Processes: 2 * pods, Attached: 2 * attachedPods,
	}
}

func node(facts ...odiv1.ContainerFact) Node { return Node{Name: "n", Facts: facts} }

func TestFold(t *testing.T) {
	waiting := Verdict{false, odiv1.ReasonWaitingForNode, "No odiglet has seen a running pod of this workload yet."}
	goKnown := Verdict{true, odiv1.ReasonRuntimeDetected, "app: go 1.26.8 (static)."}
	for name, tc := range map[string]struct {
		in   Input
		want Result
	}{
		"nothing was seen yet": {
			in:   Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "app")},
			want: Result{RuntimeDetected: waiting, Instrumented: waiting},
		},
		"nothing was decided yet": {
			in: Input{Kind: odiv1.KindDeployment, Nodes: []Node{node(fact("app", goRuntime, 1, 0))}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 1,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 2}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{false, odiv1.ReasonReconcileInProgress, "How to instrument this workload is being decided."},
			},
		},
		"all pods of two nodes are instrumented": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "app"),
				Nodes: []Node{node(fact("app", goRuntime, 2, 2)), node(fact("app", goRuntime, 1, 1))}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 3, InstrumentedPods: 3,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 6, Attached: 6}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{true, odiv1.ReasonAttached, "3 pods of 3 produce telemetry."},
			},
		},
		"an init container that has ended does not count": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "init", "app"), Passing: []string{"init"},
				Nodes: []Node{node(fact("app", goRuntime, 1, 1))}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 1, InstrumentedPods: 1,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 2, Attached: 2}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{true, odiv1.ReasonAttached, "1 pod of 1 produce telemetry."},
			},
		},
		"an init container counts while it runs, and what starts after it does not yet": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "init", "app"), Passing: []string{"init"},
				Nodes: []Node{node(fact("init", goRuntime, 1, 1))}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 1, InstrumentedPods: 1,
				Containers:      []odiv1.ContainerStatus{{Name: "init", Runtime: goRuntime, Processes: 2, Attached: 2}},
				RuntimeDetected: Verdict{true, odiv1.ReasonRuntimeDetected, "init: go 1.26.8 (static)."},
				Instrumented:    Verdict{true, odiv1.ReasonAttached, "1 pod of 1 produce telemetry."},
			},
		},
		"a container that does not start counts against its pod": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "init", "app", "side"), Passing: []string{"init"},
				Nodes: []Node{node(fact("app", goRuntime, 1, 1))}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 1,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 2, Attached: 2}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{false, odiv1.ReasonAttaching, "0 pods of 1 produce telemetry so far."},
			},
		},
		"a pod counts when its last container is instrumented": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "app", "worker"),
				Nodes: []Node{node(fact("worker", javaRuntime, 2, 1), fact("app", goRuntime, 2, 2))}},
			want: Result{
				Runtimes: "go 1.26.8, java 17.0.9", Pods: 2, InstrumentedPods: 1,
				Containers: []odiv1.ContainerStatus{
					{Name: "app", Runtime: goRuntime, Processes: 4, Attached: 4},
					{Name: "worker", Runtime: javaRuntime, Processes: 4, Attached: 2}},
				RuntimeDetected: Verdict{true, odiv1.ReasonRuntimeDetected, "app: go 1.26.8 (static); worker: java 17.0.9 (glibc)."},
				Instrumented:    Verdict{false, odiv1.ReasonAttaching, "1 pod of 2 produce telemetry so far."},
			},
		},
		"a container that is left alone does not count": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: append(decided(odiv1.MethodEBPF, "app"), decided(odiv1.MethodNone, "proxy")...),
				Nodes: []Node{node(fact("app", goRuntime, 1, 1), fact("proxy", odiv1.Runtime{}, 1, 0))}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 1, InstrumentedPods: 1,
				Containers: []odiv1.ContainerStatus{
					{Name: "app", Runtime: goRuntime, Processes: 2, Attached: 2}, {Name: "proxy", Processes: 2}},
				RuntimeDetected: Verdict{false, odiv1.ReasonRuntimeUnknown, "The language of proxy is not known; eBPF does not need it."},
				Instrumented:    Verdict{true, odiv1.ReasonAttached, "1 pod of 1 produce telemetry."},
			},
		},
		"a workload that is switched off says by whom": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodNone, "app"), Nodes: []Node{node(fact("app", goRuntime, 1, 0))}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 1,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 2}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{false, odiv1.ReasonMethodNone, "Switched off."},
			},
		},
		"a failure to attach is told in the odiglet's words": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "app"), Nodes: []Node{node(
				odiv1.ContainerFact{Container: "app", Runtime: goRuntime, Pods: 1, Processes: 1, Error: "the map of processes is full."})}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 1,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 1, LastError: "the map of processes is full."}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{false, odiv1.ReasonAttachFailed, "Container app: the map of processes is full."},
			},
		},
		"a node that cannot instrument is the reason": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "app"), Nodes: []Node{
				{Name: "old", Unable: "Node old: kernel 4.19 has no ring buffer.", Facts: []odiv1.ContainerFact{fact("app", goRuntime, 1, 0)}}}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 1,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 2}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{false, odiv1.ReasonFeatureUnavailable, "Node old: kernel 4.19 has no ring buffer."},
			},
		},
		"nothing is known of pods whose odiglet is silent": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "app"), Nodes: []Node{
				node(fact("app", goRuntime, 1, 1)), {Name: "gone", Silent: "12:00:00 UTC", Facts: []odiv1.ContainerFact{fact("app", goRuntime, 2, 2)}}}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 3, InstrumentedPods: 1,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 6, Attached: 6}},
				RuntimeDetected: goKnown,
				Instrumented: Verdict{false, odiv1.ReasonOdigletSilent,
					"Whether 2 pods produce telemetry is not known: the odiglet of node gone is silent since 12:00:00 UTC."},
			},
		},
		"a silent node that has no pod of it does not matter": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "app"), Nodes: []Node{
				node(fact("app", goRuntime, 1, 1)), {Name: "gone", Silent: "12:00:00 UTC"}}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 1, InstrumentedPods: 1,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 2, Attached: 2}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{true, odiv1.ReasonAttached, "1 pod of 1 produce telemetry."},
			},
		},
		"what most pods run is the runtime during a rollout": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "app"),
				Nodes: []Node{node(fact("app", javaRuntime, 1, 1)), node(fact("app", goRuntime, 2, 2))}},
			want: Result{
				Runtimes: "go 1.26.8", Pods: 3, InstrumentedPods: 3,
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 6, Attached: 6}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{true, odiv1.ReasonAttached, "3 pods of 3 produce telemetry."},
			},
		},
		"between two runs of a CronJob its runtime stays known": {
			in: Input{Kind: odiv1.KindCronJob, Decisions: decided(odiv1.MethodEBPF, "app"),
				Before: []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime, Processes: 2, Attached: 2}}},
			want: Result{
				Runtimes:        "go 1.26.8",
				Containers:      []odiv1.ContainerStatus{{Name: "app", Runtime: goRuntime}},
				RuntimeDetected: goKnown,
				Instrumented:    Verdict{false, odiv1.ReasonNoPods, "No pod runs now; the next one is instrumented from its start."},
			},
		},
		"a workload that is scaled to zero": {
			in: Input{Kind: odiv1.KindDeployment, Decisions: decided(odiv1.MethodEBPF, "app"), Idle: "The workload is scaled to zero."},
			want: Result{
				RuntimeDetected: Verdict{false, odiv1.ReasonNoPods, "The workload is scaled to zero."},
				Instrumented:    Verdict{false, odiv1.ReasonNoPods, "The workload is scaled to zero."},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := fold(tc.in)
			if len(got.Containers) == 0 {
				got.Containers = nil
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChanged(t *testing.T) {
	report := func(facts ...odiv1.ContainerFact) *odiv1.NodeInstrumentation {
		return &odiv1.NodeInstrumentation{Status: odiv1.NodeInstrumentationStatus{Containers: facts}}
	}
	cart, db := fact("app", goRuntime, 1, 1), fact("app", goRuntime, 1, 1)
	db.Workload.Name = "db"
	moreCart := cart
	moreCart.Processes++
	unable := report(cart)
	unable.Status.Conditions = []metav1.Condition{{Type: odiv1.ConditionReady, Status: metav1.ConditionFalse, Message: "no."}}
	for name, tc := range map[string]struct {
		before, after *odiv1.NodeInstrumentation
		want          []workload.Reference
	}{
		"nothing new":                      {before: report(cart, db), after: report(cart, db)},
		"only the workload that changed":   {before: report(cart, db), after: report(moreCart, db), want: refs("cart")},
		"a workload that left the node":    {before: report(cart, db), after: report(db), want: refs("cart")},
		"a workload that came to the node": {before: report(db), after: report(db, cart), want: refs("cart")},
		"all of a node that became unable": {before: report(cart), after: unable, want: refs("cart")},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, changed(tc.before, tc.after)); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
		})
	}
}

func refs(name string) []workload.Reference {
	return []workload.Reference{{Namespace: "shop", Kind: odiv1.KindDeployment, Name: name}}
}
