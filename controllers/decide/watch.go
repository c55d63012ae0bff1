package decide

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// configIndex finds the InstrumentedWorkloads that a config won.
const configIndex = "decide.config"

func indexByConfig(mgr manager.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(context.Background(), &odiv1.InstrumentedWorkload{}, configIndex,
		func(obj client.Object) []string {
			return []string{obj.(*odiv1.InstrumentedWorkload).Spec.Config}
		})
	if err != nil {
		return fmt.Errorf("indexing InstrumentedWorkloads by config: %w", err)
	}
	return nil
}

// generationChanges passes changes of a spec: of what the user wants, or of a pod template.
var generationChanges = predicate.GenerationChangedPredicate{}

// inputChanges passes InstrumentedWorkloads that are new, or whose selection,
// decision or runtimes changed; pods that come and go pass by.
var inputChanges = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
			return true
		}
		return !equality.Semantic.DeepEqual(runtimes(e.ObjectOld), runtimes(e.ObjectNew))
	},
	DeleteFunc: func(event.DeleteEvent) bool { return false },
}

func runtimes(obj client.Object) map[string]odiv1.Runtime {
	seen := map[string]odiv1.Runtime{}
	if iw, ok := obj.(*odiv1.InstrumentedWorkload); ok {
		for _, c := range iw.Status.Containers {
			seen[c.Name] = c.Runtime
		}
	}
	return seen
}

// toSelected maps a config to the InstrumentedWorkloads that it won.
func (c *Controller) toSelected() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, config client.Object) []reconcile.Request {
		var list odiv1.InstrumentedWorkloadList
		err := c.client.List(ctx, &list, client.InNamespace(config.GetNamespace()),
			client.MatchingFields{configIndex: config.GetName()}, client.UnsafeDisableDeepCopy)
		if err != nil {
			log.FromContext(ctx).Error(err, "listing the workloads of a config", "config", client.ObjectKeyFromObject(config))
			return nil
		}
		requests := make([]reconcile.Request, len(list.Items))
		for i := range list.Items {
			requests[i].NamespacedName = client.ObjectKeyFromObject(&list.Items[i])
		}
		return requests
	})
}
