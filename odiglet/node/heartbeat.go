package node

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=odi-system,resources=leases,verbs=get;create;update

const (
	// beatEvery is as often as a kubelet says that it lives; the manager believes three of them.
	beatEvery = 10 * time.Second
	// doubtedAfter is a silence after which the manager may have begun to doubt the report.
	doubtedAfter = 2 * beatEvery
)

// heartbeat says that the odiglet lives: it renews a Lease, an object of a few hundred bytes, because the
// report itself may have hundreds of KiB, and is written only when it changes.
type heartbeat struct {
	client    client.Client
	namespace string
	node      string
	log       *slog.Logger
	// doubted is called after a silence: somebody may have written on the report what is not so any more.
	doubted func()

	lease  *coordinationv1.Lease
	beaten time.Time
}

// run beats until ctx ends. What it cannot write it tries again at the next beat.
func (h *heartbeat) run(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	failing := false
	for {
		err := h.beat(ctx, time.Now())
		if err != nil && ctx.Err() == nil && !failing {
			h.log.Error("saying that this odiglet lives", "error", err)
		}
		failing = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// beat renews the Lease, or makes it.
func (h *heartbeat) beat(ctx context.Context, now time.Time) error {
	if h.lease == nil {
		if err := h.find(ctx); err != nil {
			return err
		}
	}
	renewed := metav1.NewMicroTime(now)
	next := h.lease.DeepCopy()
	next.Spec.RenewTime = &renewed
	if err := h.client.Update(ctx, next); err != nil {
		h.lease = nil // It was changed or deleted: read it anew.
		return fmt.Errorf("renewing the Lease %s: %w", next.Name, err)
	}
	h.lease = next
	if !h.beaten.IsZero() && now.Sub(h.beaten) > doubtedAfter {
		h.doubted()
	}
	h.beaten = now
	return nil
}

// find reads the Lease or makes it. The Node owns it, so that it goes with the node.
func (h *heartbeat) find(ctx context.Context) error {
	lease := &coordinationv1.Lease{}
	key := client.ObjectKey{Namespace: h.namespace, Name: odiv1.OdigletLease(h.node)}
	err := h.client.Get(ctx, key, lease)
	if err == nil {
		h.lease = lease
		return nil
	}
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading the Lease %s: %w", key.Name, err)
	}
	node := &metav1.PartialObjectMetadata{}
	node.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Node"))
	if err := h.client.Get(ctx, client.ObjectKey{Name: h.node}, node); err != nil {
		return fmt.Errorf("reading node %s: %w", h.node, err)
	}
	lease = &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: key.Namespace, Name: key.Name,
			Labels:          map[string]string{odiv1.LabelManagedBy: odiv1.ManagedByOdi, odiv1.LabelComponent: odiv1.ComponentOdiglet},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: h.node, UID: node.UID}},
		},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &h.node},
	}
	if err := h.client.Create(ctx, lease); err != nil {
		return fmt.Errorf("creating the Lease %s: %w", key.Name, err)
	}
	h.lease = lease
	return nil
}
