package decide

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
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

// inputChanges passes InstrumentedWorkloads that are new, or whose selection, decision, runtimes
// or failures changed; pods that come and go pass by.
var inputChanges = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
			return true
		}
		return !equality.Semantic.DeepEqual(known(e.ObjectOld), known(e.ObjectNew))
	},
	DeleteFunc: func(event.DeleteEvent) bool { return false },
}

// knowledge is what of a status a decision depends on.
type knowledge struct {
	Runtimes map[string]odiv1.Runtime
	Starts   map[string]odiv1.StartFacts
	Failures []odiv1.AgentFailure
}

func known(obj client.Object) knowledge {
	k := knowledge{Runtimes: map[string]odiv1.Runtime{}, Starts: map[string]odiv1.StartFacts{}}
	if iw, ok := obj.(*odiv1.InstrumentedWorkload); ok {
		for _, c := range iw.Status.Containers {
			k.Runtimes[c.Name], k.Starts[c.Name] = c.Runtime, c.Start
		}
		k.Failures = iw.Status.Rollout.Failures
	}
	return k
}

// imageChanges passes pods that run another image than before, or none any more.
var imageChanges = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool { return !maps.Equal(imagesOf(e.ObjectOld), imagesOf(e.ObjectNew)) },
}

func imagesOf(obj client.Object) map[string]string {
	images := map[string]string{}
	if pod, ok := obj.(*corev1.Pod); ok {
		for _, s := range pod.Status.ContainerStatuses {
			images[s.Name] = s.ImageID
		}
	}
	return images
}

// toTried maps a pod to the InstrumentedWorkload of its workload, where an agent failed with an image:
// with another one it is tried anew.
func (c *Controller) toTried() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, obj client.Object) []reconcile.Request {
		pod, ok := obj.(*corev1.Pod)
		if !ok {
			return nil
		}
		ref, err := kube.WorkloadOf(ctx, c.client, pod)
		if err != nil {
			log.FromContext(ctx).Error(err, "finding the workload of a pod", "pod", client.ObjectKeyFromObject(pod))
			return nil
		}
		var iw odiv1.InstrumentedWorkload
		key := client.ObjectKey{Namespace: ref.Namespace, Name: ref.ObjectName()}
		if err := c.client.Get(ctx, key, &iw); err != nil || len(iw.Status.Rollout.Failures) == 0 {
			return nil // It is not selected, or nothing was tried.
		}
		return []reconcile.Request{{NamespacedName: key}}
	})
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
