package components

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/cluster"
)

const (
	// managerSpeaks is how long a living manager is never silent; it renews its Lease every two seconds.
	managerSpeaks = 30 * time.Second
	// secondLook is how long the manager gets to show that only the clocks differ.
	secondLook = 5 * time.Second
)

// managerSilence says since when the manager has not renewed its Lease; zero while it does, or where
// nobody can say. What it wrote on other objects before is not known to be so any more.
func managerSilence(ctx context.Context, c client.Client, namespace string, now func() time.Time) time.Time {
	last := renewed(ctx, c, namespace)
	if last.IsZero() || now().Sub(last) < managerSpeaks {
		return time.Time{}
	}
	// This machine's clock may be ahead of the cluster's.
	select {
	case <-ctx.Done():
		return time.Time{}
	case <-time.After(secondLook):
	}
	if again := renewed(ctx, c, namespace); !again.Equal(last) {
		return time.Time{}
	}
	return last
}

// renewed is when the manager said last that it is at work; zero for who may not look, and where there is no Lease.
func renewed(ctx context.Context, c client.Client, namespace string) time.Time {
	var lease coordinationv1.Lease
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: cluster.ManagerName}, &lease)
	if err != nil || lease.Spec.RenewTime == nil {
		return time.Time{}
	}
	return lease.Spec.RenewTime.Time
}
