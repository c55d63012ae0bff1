package kube

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// Workload is what odi reads of a workload object of any kind.
type Workload struct {
	workload.Reference
	// Object is the API object as the cache holds it; for Events and owner references.
	Object client.Object
	// Containers of the pod template, sidecars (restartable init containers) included.
	Containers []string
	// ScaledToZero means that no pod is asked for.
	ScaledToZero bool
}

// NewWorkloadObject is an empty object of a kind of workload, nil for an unknown kind.
func NewWorkloadObject(kind odiv1.WorkloadKind) client.Object {
	switch kind {
	case odiv1.KindDeployment:
		return &appsv1.Deployment{}
	case odiv1.KindStatefulSet:
		return &appsv1.StatefulSet{}
	case odiv1.KindDaemonSet:
		return &appsv1.DaemonSet{}
	case odiv1.KindCronJob:
		return &batchv1.CronJob{}
	case odiv1.KindJob:
		return &batchv1.Job{}
	}
	return nil
}

// NewWorkloadList is an empty list of a kind of workload, nil for an unknown kind.
func NewWorkloadList(kind odiv1.WorkloadKind) client.ObjectList {
	switch kind {
	case odiv1.KindDeployment:
		return &appsv1.DeploymentList{}
	case odiv1.KindStatefulSet:
		return &appsv1.StatefulSetList{}
	case odiv1.KindDaemonSet:
		return &appsv1.DaemonSetList{}
	case odiv1.KindCronJob:
		return &batchv1.CronJobList{}
	case odiv1.KindJob:
		return &batchv1.JobList{}
	}
	return nil
}

// ReadWorkload sees an API object as a workload; false if it is none.
func ReadWorkload(obj client.Object) (Workload, bool) {
	template, kind, replicas := podTemplate(obj)
	if template == nil {
		return Workload{}, false
	}
	w := Workload{
		Reference:    workload.Reference{Namespace: obj.GetNamespace(), Kind: kind, Name: obj.GetName()},
		Object:       obj,
		ScaledToZero: replicas != nil && *replicas == 0,
	}
	for _, c := range template.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			w.Containers = append(w.Containers, c.Name)
		}
	}
	for _, c := range template.Spec.Containers {
		w.Containers = append(w.Containers, c.Name)
	}
	return w, true
}

// podTemplate finds the template, the kind and, where the kind has them, the replicas.
func podTemplate(obj client.Object) (*corev1.PodTemplateSpec, odiv1.WorkloadKind, *int32) {
	switch o := obj.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template, odiv1.KindDeployment, o.Spec.Replicas
	case *appsv1.StatefulSet:
		return &o.Spec.Template, odiv1.KindStatefulSet, o.Spec.Replicas
	case *appsv1.DaemonSet:
		return &o.Spec.Template, odiv1.KindDaemonSet, nil
	case *batchv1.CronJob:
		return &o.Spec.JobTemplate.Spec.Template, odiv1.KindCronJob, nil
	case *batchv1.Job:
		return &o.Spec.Template, odiv1.KindJob, nil
	}
	return nil, "", nil
}

// WorkloadReference refers to the workload object of an InstrumentedWorkload, for
// Events on it. select made the workload the owner, so that its UID is at hand,
// without which `kubectl describe` does not find the Event.
func WorkloadReference(iw *odiv1.InstrumentedWorkload) *corev1.ObjectReference {
	ref := &corev1.ObjectReference{
		Kind:      string(iw.Spec.Workload.Kind),
		Namespace: iw.Namespace,
		Name:      iw.Spec.Workload.Name,
	}
	for _, owner := range iw.OwnerReferences {
		if owner.Kind == ref.Kind && owner.Name == ref.Name {
			ref.APIVersion, ref.UID = owner.APIVersion, owner.UID
		}
	}
	return ref
}

// CacheByObject makes the cache keep only what odi reads of the workloads of
// users: a tenth of their size on a large cluster. odi's own stay whole, because
// the pipeline controller reads them.
func CacheByObject(own string) map[client.Object]cache.ByObject {
	byObject := map[client.Object]cache.ByObject{}
	for _, kind := range workload.Kinds() {
		byObject[NewWorkloadObject(kind)] = cache.ByObject{Transform: stripWorkload(own)}
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
		template, kind, _ := podTemplate(obj)
		if template == nil {
			return nil, fmt.Errorf("stripping a %T: not a workload", in)
		}
		kept := NewWorkloadObject(kind)
		kept.SetName(obj.GetName())
		kept.SetNamespace(obj.GetNamespace())
		kept.SetUID(obj.GetUID())
		kept.SetResourceVersion(obj.GetResourceVersion())
		kept.SetGeneration(obj.GetGeneration())
		kept.SetCreationTimestamp(obj.GetCreationTimestamp())
		kept.SetDeletionTimestamp(obj.GetDeletionTimestamp())
		kept.SetLabels(obj.GetLabels())
		kept.SetOwnerReferences(obj.GetOwnerReferences())
		keepSpec(kept, obj, template)
		return kept, nil
	}
}

// keepSpec carries over the replicas and the names of the containers.
func keepSpec(kept, obj client.Object, template *corev1.PodTemplateSpec) {
	switch o := kept.(type) {
	case *appsv1.Deployment:
		o.Spec.Replicas = obj.(*appsv1.Deployment).Spec.Replicas
	case *appsv1.StatefulSet:
		o.Spec.Replicas = obj.(*appsv1.StatefulSet).Spec.Replicas
	}
	keptTemplate, _, _ := podTemplate(kept)
	keptTemplate.Spec.InitContainers = stripContainers(template.Spec.InitContainers)
	keptTemplate.Spec.Containers = stripContainers(template.Spec.Containers)
}

func stripContainers(in []corev1.Container) []corev1.Container {
	out := make([]corev1.Container, len(in))
	for i, c := range in {
		out[i] = corev1.Container{Name: c.Name, RestartPolicy: c.RestartPolicy}
	}
	return out
}

// OwnedByCronJob says whether a Job is one of a CronJob's, which is the workload then.
func OwnedByCronJob(job client.Object) bool {
	owner := metav1.GetControllerOf(job)
	return owner != nil && owner.Kind == string(odiv1.KindCronJob)
}
