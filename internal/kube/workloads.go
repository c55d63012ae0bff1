package kube

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// Workload is what odi reads of a workload of any kind.
type Workload struct {
	workload.Reference
	// Object is the API object as the cache holds it, or what its pods say of their
	// owner when odi does not read its kind; for Events and owner references.
	Object client.Object
	// Containers of the pod template in the order in which they start.
	Containers []string
	// Passing are those of them that end before the others start: init containers without a restart policy.
	Passing []string
	// Idle says why no pod of it is to be expected; empty when one is.
	Idle string
	// Template and Pace are for language agents; empty for a workload that odi knows by its pods alone.
	Template Template
	Pace     Pace
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
	case odiv1.KindReplicaSet:
		return &appsv1.ReplicaSet{}
	case odiv1.KindReplicationController:
		return &corev1.ReplicationController{}
	case odiv1.KindPod:
		return &corev1.Pod{}
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
	case odiv1.KindReplicaSet:
		return &appsv1.ReplicaSetList{}
	case odiv1.KindReplicationController:
		return &corev1.ReplicationControllerList{}
	case odiv1.KindPod:
		return &corev1.PodList{}
	}
	return nil
}

// ReadWorkload sees an API object as the workload that it is, or that it is known
// by: the other controller that owns a ReplicaSet or a pod. False when it is none,
// because a workload of another kind covers it, or because it has ended.
func ReadWorkload(obj client.Object) (Workload, bool) {
	shape, ok := readShape(obj)
	if !ok || ended(obj) {
		return Workload{}, false
	}
	w := Workload{
		Reference: workload.Reference{Namespace: obj.GetNamespace(), Kind: shape.kind, Name: obj.GetName()},
		Object:    obj,
		Idle:      shape.idle,
		Template:  readTemplate(obj, shape.spec),
		Pace:      readPace(obj),
	}
	for _, c := range shape.spec.InitContainers {
		w.Containers = append(w.Containers, c.Name)
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			w.Passing = append(w.Passing, c.Name)
		}
	}
	for _, c := range shape.spec.Containers {
		w.Containers = append(w.Containers, c.Name)
	}
	above, covered := Covers(obj, shape.kind)
	switch {
	case !covered:
		return w, true
	case workload.IsBuiltin(above.Kind) && above.Kind != odiv1.KindPod:
		return Workload{}, false
	}
	// A pod may make pods: they are known by its name.
	w.Reference, w.Object = above, ownerObject(obj)
	return w, true
}

// Covers names the workload that an object of a kind belongs to; false when it is one itself.
func Covers(obj client.Object, kind odiv1.WorkloadKind) (workload.Reference, bool) {
	switch kind {
	case odiv1.KindReplicaSet, odiv1.KindJob:
		return workload.Above(obj, kind)
	case odiv1.KindPod:
		if owner := workload.Controller(obj); owner != nil {
			return workload.OfOwner(obj.GetNamespace(), *owner), true
		}
	}
	return workload.Reference{}, false
}

// ended says whether an object is a pod that has done its work.
func ended(obj client.Object) bool {
	pod, ok := obj.(*corev1.Pod)
	return ok && (pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed)
}

// ownerObject is what an object says of its owner. Its labels stand for the owner's, which odi has no right to read.
func ownerObject(obj client.Object) client.Object {
	owner := workload.Controller(obj)
	return &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: owner.APIVersion, Kind: owner.Kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: obj.GetNamespace(), Name: owner.Name, UID: owner.UID, Labels: obj.GetLabels()},
	}
}

// ListWorkloads lists the workloads of a namespace. Nothing of them may be changed: the cache's objects are not copied.
func ListWorkloads(ctx context.Context, reader client.Reader, namespace string, kinds ...odiv1.WorkloadKind) ([]Workload, error) {
	var all []Workload
	place := map[workload.Reference]int{}
	for _, kind := range kinds {
		list := NewWorkloadList(kind)
		if err := reader.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing each %s of %s: %w", kind, namespace, err)
		}
		err := meta.EachListItem(list, func(item runtime.Object) error {
			obj, ok := item.(client.Object)
			if !ok || leaving(obj) {
				return nil
			}
			w, ok := ReadWorkload(obj)
			if !ok {
				return nil
			}
			if i, known := place[w.Reference]; known {
				all[i] = merge(all[i], w)
				return nil
			}
			place[w.Reference] = len(all)
			all = append(all, w)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("reading each %s of %s: %w", kind, namespace, err)
		}
	}
	return all, nil
}

// leaving says whether an object is being deleted. A pod works on until it is gone.
func leaving(obj client.Object) bool {
	_, isPod := obj.(*corev1.Pod)
	return !isPod && !obj.GetDeletionTimestamp().IsZero()
}

// merge joins what two objects say of one workload: revisions, or pods of another controller.
func merge(a, b Workload) Workload {
	if _, whole := b.Object.(*corev1.Pod); whole {
		a, b = b, a
	}
	if b.Idle == "" {
		a.Idle = ""
	}
	a.Containers = union(a.Containers, b.Containers)
	a.Passing = union(a.Passing, b.Passing)
	return a
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, name := range b {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// FindWorkload reads one workload; false when there is none of that name, or another covers it.
func FindWorkload(ctx context.Context, reader client.Reader, ref workload.Reference) (Workload, bool, error) {
	obj := NewWorkloadObject(ref.Kind)
	if obj == nil || ref.Kind == odiv1.KindPod {
		all, err := ListWorkloads(ctx, reader, ref.Namespace, odiv1.KindReplicaSet, odiv1.KindPod)
		if err != nil {
			return Workload{}, false, err
		}
		i := slices.IndexFunc(all, func(w Workload) bool { return w.Reference == ref })
		if i < 0 {
			return Workload{}, false, nil
		}
		return all[i], true, nil
	}
	if err := reader.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, obj); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return Workload{}, false, nil
		}
		return Workload{}, false, fmt.Errorf("reading %s: %w", ref, err)
	}
	w, ok := ReadWorkload(obj)
	return w, ok && w.Reference == ref, nil
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
		if workload.OfOwner(iw.Namespace, owner) == workload.In(iw.Namespace, iw.Spec.Workload) {
			ref.APIVersion, ref.Kind, ref.UID = owner.APIVersion, owner.Kind, owner.UID
		}
	}
	return ref
}
