package kube

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// CacheByObject makes the cache keep only what odi reads of the workloads of
// users: a tenth of their size on a large cluster. odi's own stay whole, because
// the pipeline controller reads them. Of Leases it keeps those of odiglets alone.
func CacheByObject(own string) map[client.Object]cache.ByObject {
	byObject := map[client.Object]cache.ByObject{}
	for _, kind := range workload.Kinds() {
		byObject[NewWorkloadObject(kind)] = cache.ByObject{Transform: stripWorkload(own)}
	}
	byObject[&coordinationv1.Lease{}] = cache.ByObject{
		Namespaces: map[string]cache.Config{own: {}},
		Label:      labels.SelectorFromSet(labels.Set{odiv1.LabelComponent: odiv1.ComponentOdiglet}),
	}
	return byObject
}

func stripWorkload(own string) toolscache.TransformFunc {
	return func(in any) (any, error) {
		obj, ok := in.(client.Object)
		if !ok {
			return in, nil // A tombstone.
		}
		obj.SetManagedFields(nil)
		if obj.GetNamespace() == own {
			return obj, nil
		}
		full, ok := readShape(obj)
		if !ok {
			return nil, fmt.Errorf("stripping a %T: not a workload", in)
		}
		kept := NewWorkloadObject(full.kind)
		kept.SetName(obj.GetName())
		kept.SetNamespace(obj.GetNamespace())
		kept.SetUID(obj.GetUID())
		kept.SetResourceVersion(obj.GetResourceVersion())
		kept.SetGeneration(obj.GetGeneration())
		kept.SetCreationTimestamp(obj.GetCreationTimestamp())
		kept.SetDeletionTimestamp(obj.GetDeletionTimestamp())
		kept.SetOwnerReferences(obj.GetOwnerReferences())
		if _, isOne := ReadWorkload(obj); !isOne && (full.kind == odiv1.KindPod || full.kind == odiv1.KindReplicaSet) {
			// Most pods and ReplicaSets: all that matters is that another workload covers them.
			keepState(kept, obj)
			return kept, nil
		}
		kept.SetLabels(obj.GetLabels())
		keepState(kept, obj)
		keepPace(kept, obj)
		small, _ := readShape(kept)
		keepTemplate(small.spec, full.spec)
		small.spec.InitContainers = stripContainers(full.spec.InitContainers)
		small.spec.Containers = stripContainers(full.spec.Containers)
		return kept, nil
	}
}

// keepState carries over what tells whether pods are to be expected.
func keepState(kept, obj client.Object) {
	switch o := kept.(type) {
	case *appsv1.Deployment:
		o.Spec.Replicas = obj.(*appsv1.Deployment).Spec.Replicas
	case *appsv1.StatefulSet:
		o.Spec.Replicas = obj.(*appsv1.StatefulSet).Spec.Replicas
	case *appsv1.ReplicaSet:
		o.Spec.Replicas = obj.(*appsv1.ReplicaSet).Spec.Replicas
	case *corev1.ReplicationController:
		o.Spec.Replicas = obj.(*corev1.ReplicationController).Spec.Replicas
		o.Spec.Template = &corev1.PodTemplateSpec{}
	case *batchv1.CronJob:
		o.Spec.Suspend = obj.(*batchv1.CronJob).Spec.Suspend
	case *batchv1.Job:
		o.Spec.Suspend = obj.(*batchv1.Job).Spec.Suspend
		o.Status.Conditions = obj.(*batchv1.Job).Status.Conditions
	case *corev1.Pod:
		keepPod(o, obj.(*corev1.Pod))
	}
}

func stripContainers(in []corev1.Container) []corev1.Container {
	out := make([]corev1.Container, len(in))
	for i := range in {
		out[i] = stripContainer(&in[i])
	}
	return out
}
