package node

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=get

// owners asks each Job and ReplicaSet that has pods on this node whose it is:
// pods do not say. One small request per owner costs the API server less than
// every node watching all of them, and comes well before a container starts.
type owners struct {
	client  client.Client
	cluster *cluster
	log     *slog.Logger
	wake    chan struct{}
}

func newOwners(c client.Client, of *cluster, log *slog.Logger) *owners {
	return &owners{client: c, cluster: of, log: log, wake: make(chan struct{}, 1)}
}

// poke asks for a look at the pods.
func (o *owners) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// run asks until ctx ends.
func (o *owners) run(ctx context.Context) error {
	o.poke()
	for {
		select {
		case <-o.wake:
		case <-ctx.Done():
			return nil
		}
		if o.ask(ctx) {
			continue
		}
		select {
		case <-time.After(retry):
			o.poke()
		case <-ctx.Done():
			return nil
		}
	}
}

// ask asks every owner that has not been asked; false when one of them has to be asked again.
func (o *owners) ask(ctx context.Context) bool {
	o.cluster.dropAnswers()
	all := true
	for uid, owner := range o.cluster.asking() {
		workloads, err := o.workloads(ctx, uid, owner)
		if err != nil {
			if ctx.Err() == nil {
				o.log.Error("asking whose a pod is", "owner", owner.String(), "error", err)
			}
			all = false
			continue
		}
		o.cluster.answer(uid, workloads)
	}
	return all
}

// workloads names what the pods of an owner may belong to, the likeliest first.
// The owner itself stays among them: it is left over when its own owner is
// deleted without it. None when it is gone, or another has its name.
func (o *owners) workloads(ctx context.Context, uid types.UID, owner workload.Reference) ([]workload.Reference, error) {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(ownerKind(owner.Kind))
	err := o.client.Get(ctx, client.ObjectKey{Namespace: owner.Namespace, Name: owner.Name}, object)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading %s: %w", owner, err)
	}
	if err != nil || object.UID != uid {
		return nil, nil
	}
	if above, covered := workload.Above(object, owner.Kind); covered {
		return []workload.Reference{above, owner}, nil
	}
	return []workload.Reference{owner}, nil
}

// ownerKind is what the API calls a Job or a ReplicaSet.
func ownerKind(kind odiv1.WorkloadKind) schema.GroupVersionKind {
	if kind == odiv1.KindJob {
		return batchv1.SchemeGroupVersion.WithKind(string(kind))
	}
	return appsv1.SchemeGroupVersion.WithKind(string(kind))
}
