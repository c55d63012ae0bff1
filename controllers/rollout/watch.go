package rollout

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// inputChanges passes InstrumentedWorkloads whose decisions, claim or facts about agents changed, and those that go.
var inputChanges = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
			return true
		}
		return !equality.Semantic.DeepEqual(known(e.ObjectOld), known(e.ObjectNew))
	},
}

// knowledge is what of a status written by others a step depends on.
type knowledge struct {
	Claim *odiv1.CanaryClaim
	Facts map[string]odiv1.AgentFact
}

func known(obj client.Object) knowledge {
	k := knowledge{Facts: map[string]odiv1.AgentFact{}}
	if iw, ok := obj.(*odiv1.InstrumentedWorkload); ok {
		k.Claim = iw.Status.Canary
		for _, c := range iw.Status.Containers {
			k.Facts[c.Name] = c.Agent
		}
	}
	return k
}

// modeChanges passes configs that say something else about the rollout.
var modeChanges = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool { return modeOf(e.ObjectOld) != modeOf(e.ObjectNew) },
	DeleteFunc: func(event.DeleteEvent) bool { return false },
}

func modeOf(obj client.Object) odiv1.RolloutMode {
	if config, ok := obj.(*odiv1.InstrumentationConfig); ok {
		return config.Spec.Rollout
	}
	return ""
}

// paceChanges passes workloads that want more or fewer pods, or make them otherwise.
var paceChanges = predicate.Funcs{
	CreateFunc: func(event.CreateEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		before, _ := kube.ReadWorkload(e.ObjectOld)
		after, _ := kube.ReadWorkload(e.ObjectNew)
		return before.Pace != after.Pace
	},
	DeleteFunc: func(event.DeleteEvent) bool { return false },
}

// toSelected maps a config to the InstrumentedWorkloads that it won.
func (c *Controller) toSelected() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, config client.Object) []reconcile.Request {
		var list odiv1.InstrumentedWorkloadList
		if err := c.client.List(ctx, &list, client.InNamespace(config.GetNamespace()), client.UnsafeDisableDeepCopy); err != nil {
			log.FromContext(ctx).Error(err, "listing the workloads of a config", "config", client.ObjectKeyFromObject(config))
			return nil
		}
		var requests []reconcile.Request
		for i := range list.Items {
			if list.Items[i].Spec.Config == config.GetName() {
				requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
			}
		}
		return requests
	})
}

// toWorkload maps a pod to the InstrumentedWorkload of its workload, if agents play a part: it has some,
// or a plan is there that may concern it. Most pods of a cluster pass by.
func (c *Controller) toWorkload() handler.EventHandler {
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
		key := client.ObjectKey{Namespace: ref.Namespace, Name: ref.ObjectName()}
		if _, hasAgents := pod.Annotations[odiv1.AnnotationAgents]; !hasAgents {
			var iw odiv1.InstrumentedWorkload
			if err := c.client.Get(ctx, key, &iw); err != nil || iw.Spec.Rollout == nil {
				return nil // It is not selected, or gets no agents.
			}
		}
		return []reconcile.Request{{NamespacedName: key}}
	})
}
