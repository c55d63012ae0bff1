package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// ToInstrumentedWorkload maps a workload object to its InstrumentedWorkload, which need not exist.
func ToInstrumentedWorkload() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(_ context.Context, obj client.Object) []reconcile.Request {
		w, ok := ReadWorkload(obj)
		if !ok {
			return nil
		}
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: w.Namespace, Name: w.ObjectName()}}}
	})
}

// configIndex finds the InstrumentedWorkloads that a config won.
const configIndex = "spec.config"

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

// ToSelected maps an InstrumentationConfig to the InstrumentedWorkloads that it won.
func ToSelected(reader client.Reader) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, config client.Object) []reconcile.Request {
		var list odiv1.InstrumentedWorkloadList
		err := reader.List(ctx, &list, client.InNamespace(config.GetNamespace()),
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

// PodToInstrumentedWorkload maps a pod to the InstrumentedWorkload of its workload where wanted says so; iw is nil
// where there is none.
func PodToInstrumentedWorkload(
	reader client.Reader, wanted func(pod *corev1.Pod, iw *odiv1.InstrumentedWorkload) bool,
) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, obj client.Object) []reconcile.Request {
		pod, ok := obj.(*corev1.Pod)
		if !ok {
			return nil
		}
		ref, err := WorkloadOf(ctx, reader, pod)
		if err != nil {
			log.FromContext(ctx).Error(err, "finding the workload of a pod", "pod", client.ObjectKeyFromObject(pod))
			return nil
		}
		iw := &odiv1.InstrumentedWorkload{}
		key := client.ObjectKey{Namespace: ref.Namespace, Name: ref.ObjectName()}
		if err := reader.Get(ctx, key, iw); err != nil {
			iw = nil // It is not selected.
		}
		if !wanted(pod, iw) {
			return nil
		}
		return []reconcile.Request{{NamespacedName: key}}
	})
}
