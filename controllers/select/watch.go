package selection

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// toNamespace maps any object to the namespace that it is in. Many changes of one
// namespace become one reconcile, because the queue holds a namespace once.
var toNamespace = handler.EnqueueRequestsFromMapFunc(func(_ context.Context, obj client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: obj.GetNamespace()}}}
})

// namespaceAppears passes a namespace when it is first seen. What happens in it comes by the other watches.
var namespaceAppears = predicate.Funcs{
	UpdateFunc:  func(event.UpdateEvent) bool { return false },
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
}

// specChanges passes changes of what the user wants, not of our status.
var specChanges = predicate.GenerationChangedPredicate{}

// selectionChanges passes changes of what a config can match: existence and labels.
// Rollouts and scaling of workloads pass by, and so do pods and ReplicaSets that another workload covers.
var selectionChanges = predicate.Funcs{
	CreateFunc: func(e event.CreateEvent) bool { return isWorkload(e.Object) },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, was := kube.ReadWorkload(e.ObjectOld)
		after, is := kube.ReadWorkload(e.ObjectNew)
		return was != is || is && (before.Reference != after.Reference || !maps.Equal(before.Object.GetLabels(), after.Object.GetLabels()))
	},
	DeleteFunc: func(e event.DeleteEvent) bool { return isWorkload(e.Object) },
}

func isWorkload(obj client.Object) bool {
	_, is := kube.ReadWorkload(obj)
	return is
}

// resultChanges passes InstrumentedWorkloads that someone else changed or deleted,
// and those that begin or cease to be instrumented, which the configs count.
var resultChanges = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
			instrumented(e.ObjectOld) != instrumented(e.ObjectNew)
	},
}

func instrumented(obj client.Object) bool {
	iw, ok := obj.(*odiv1.InstrumentedWorkload)
	return ok && meta.IsStatusConditionTrue(iw.Status.Conditions, odiv1.ConditionInstrumented)
}
