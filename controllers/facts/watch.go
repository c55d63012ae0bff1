package facts

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// workloadIndex finds the nodes that know something of a workload.
const workloadIndex = "facts.workload"

func indexByWorkload(mgr manager.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &odiv1.NodeInstrumentation{}, workloadIndex,
		func(obj client.Object) []string {
			byWorkload := factsOf(obj)
			keys := make([]string, 0, len(byWorkload))
			for ref := range byWorkload {
				keys = append(keys, ref.String())
			}
			return keys
		})
	if err != nil {
		return fmt.Errorf("indexing NodeInstrumentations by workload: %w", err)
	}
	return nil
}

// factsOf sorts a node's facts by workload.
func factsOf(obj client.Object) map[workload.Reference][]odiv1.ContainerFact {
	byWorkload := map[workload.Reference][]odiv1.ContainerFact{}
	if ni, ok := obj.(*odiv1.NodeInstrumentation); ok {
		for _, fact := range ni.Status.Containers {
			ref := workload.In(fact.Namespace, fact.Workload)
			byWorkload[ref] = append(byWorkload[ref], fact)
		}
	}
	return byWorkload
}

// idleChanges passes what begins or ceases to be idle without a change of its spec: a Job that ends.
var idleChanges = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, _ := kube.ReadWorkload(e.ObjectOld)
		after, _ := kube.ReadWorkload(e.ObjectNew)
		return before.Idle != after.Idle
	},
}

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// toChangedWorkloads maps a node to the workloads about which it has something new
// to say. A node may know of thousands, and each change is mostly about one.
var toChangedWorkloads = handler.Funcs{
	CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) {
		enqueueChanged(q, nil, e.Object)
	},
	UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
		enqueueChanged(q, e.ObjectOld, e.ObjectNew)
	},
	DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
		enqueueChanged(q, e.Object, nil)
	},
}

func enqueueChanged(q queue, before, after client.Object) {
	for _, ref := range changed(before, after) {
		q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: ref.Namespace, Name: ref.ObjectName()}})
	}
}

// changed lists the workloads whose facts differ; all, when the node becomes able or unable to instrument, or silent.
func changed(before, after client.Object) []workload.Reference {
	was, is := factsOf(before), factsOf(after)
	nodeChanged := unable(before) != unable(after) || silentSince(before) != silentSince(after)
	var refs []workload.Reference
	for ref, facts := range is {
		if nodeChanged || !equality.Semantic.DeepEqual(facts, was[ref]) {
			refs = append(refs, ref)
		}
	}
	for ref := range was {
		if _, still := is[ref]; !still {
			refs = append(refs, ref)
		}
	}
	return refs
}
