package kube

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// PodsOf lists the pods of a workload, as the cache holds them: nothing of them may be changed.
func PodsOf(ctx context.Context, reader client.Reader, ref workload.Reference) ([]*corev1.Pod, error) {
	var list corev1.PodList
	if err := reader.List(ctx, &list, client.InNamespace(ref.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the pods of %s: %w", ref, err)
	}
	asked := map[workload.Reference]workload.Reference{}
	var pods []*corev1.Pod
	for i := range list.Items {
		of, err := workloadOf(ctx, reader, &list.Items[i], asked)
		if err != nil {
			return nil, err
		}
		if of == ref {
			pods = append(pods, &list.Items[i])
		}
	}
	return pods, nil
}

// WorkloadOf is the workload that a pod belongs to.
func WorkloadOf(ctx context.Context, reader client.Reader, pod *corev1.Pod) (workload.Reference, error) {
	return workloadOf(ctx, reader, pod, map[workload.Reference]workload.Reference{})
}

// workloadOf remembers what owners said: pods of one owner come together.
func workloadOf(
	ctx context.Context, reader client.Reader, pod *corev1.Pod, asked map[workload.Reference]workload.Reference,
) (workload.Reference, error) {
	owner := workload.Controller(pod)
	if owner == nil {
		return workload.Reference{Namespace: pod.Namespace, Kind: odiv1.KindPod, Name: pod.Name}, nil
	}
	direct := workload.OfOwner(pod.Namespace, *owner)
	if known, is := asked[direct]; is {
		return known, nil
	}
	var obj client.Object
	switch direct.Kind {
	case odiv1.KindReplicaSet:
		obj = &appsv1.ReplicaSet{}
	case odiv1.KindJob:
		obj = &batchv1.Job{}
	default:
		return direct, nil
	}
	err := reader.Get(ctx, client.ObjectKey{Namespace: direct.Namespace, Name: direct.Name}, obj)
	if client.IgnoreNotFound(err) != nil {
		return workload.Reference{}, fmt.Errorf("reading %s: %w", direct, err)
	}
	found := direct
	if err != nil {
		found = workload.OfPod(pod)[0] // The owner is gone before its pods: the name is a good guess.
	} else if above, covered := workload.Above(obj, direct.Kind); covered {
		found = above
	}
	asked[direct] = found
	return found, nil
}
