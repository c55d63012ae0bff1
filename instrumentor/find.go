package instrumentor

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// A Job or ReplicaSet and its first pod are made within milliseconds, and the cache learns of the owner a
// little later than the API server asks about the pod.
const (
	ownerWithin = 400 * time.Millisecond
	ownerEvery  = 20 * time.Millisecond
)

// finder finds what was decided for a pod.
type finder struct{ cache client.Reader }

// find returns the pod's InstrumentedWorkload, or why there is none.
func (f finder) find(ctx context.Context, pod *corev1.Pod) (*odiv1.InstrumentedWorkload, string, error) {
	candidates, err := f.workloads(ctx, pod)
	if err != nil || len(candidates) == 0 {
		return nil, reasonOwnerUnknown, err
	}
	for _, ref := range candidates {
		var iw odiv1.InstrumentedWorkload
		err := f.cache.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.ObjectName()}, &iw)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, "", fmt.Errorf("reading the decision for %s: %w", ref, err)
		}
		if iw.Spec.Workload == ref.Local() && iw.DeletionTimestamp.IsZero() {
			return &iw, "", nil
		}
	}
	return nil, reasonNotSelected, nil
}

// workloads are those that the pod may be of; none when its owner cannot be asked.
func (f finder) workloads(ctx context.Context, pod *corev1.Pod) ([]workload.Reference, error) {
	guesses := workload.OfPod(pod)
	if !workload.Asks(pod) {
		return guesses, nil
	}
	controller := workload.Controller(pod)
	direct := workload.OfOwner(pod.Namespace, *controller)
	owner, err := f.owner(ctx, direct, controller.UID)
	if err != nil {
		return nil, err
	}
	if owner == nil {
		if len(guesses) > 1 {
			return guesses[:1], nil // The hash of the template says whose a ReplicaSet is.
		}
		return nil, nil
	}
	if above, covered := kube.Covers(owner, direct.Kind); covered {
		return []workload.Reference{above}, nil
	}
	return []workload.Reference{direct}, nil
}

// owner waits for the cache to know an object; nil when it does not learn of it in time.
func (f finder) owner(ctx context.Context, ref workload.Reference, uid types.UID) (client.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, ownerWithin)
	defer cancel()
	tick := time.NewTicker(ownerEvery)
	defer tick.Stop()
	for {
		owner := kube.NewWorkloadObject(ref.Kind)
		err := f.cache.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, owner)
		if err == nil && owner.GetUID() == uid {
			return owner, nil
		}
		if err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
			return nil, fmt.Errorf("reading %s: %w", ref, err)
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-tick.C:
		}
	}
}

func workloadOf(iw *odiv1.InstrumentedWorkload) workload.Reference {
	return workload.In(iw.Namespace, iw.Spec.Workload)
}
