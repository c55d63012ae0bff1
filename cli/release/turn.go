package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

const (
	// turnName is the Lease that an odi holds while it changes the release.
	turnName = "odi-release"
	// renewEvery is how often it says that it is alive.
	renewEvery = 3 * time.Second
	// silentFor is how long a living one is never silent. The clock is ours: those of
	// two people's machines may differ by more.
	silentFor = 10 * time.Second
)

// A Turn is the right to change the release, of one odi at a time. Helm has a lock of
// its own, but nobody can tell by it whether its holder is still alive.
type Turn struct {
	// Former is who had the turn before and died in it; empty where nobody did.
	Former string

	client client.Client
	lease  *coordinationv1.Lease
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// takeTurn waits until it is known whether another odi is at work. It is an error if
// one is. Where the turn cannot be had because the user may not, or there is no
// namespace yet, nil is returned, which is a turn that nobody else minds.
func takeTurn(ctx context.Context, c client.Client, namespace, command string) (*Turn, error) {
	t := &Turn{client: c, lease: &coordinationv1.Lease{}}
	key := client.ObjectKey{Namespace: namespace, Name: turnName}
	err := c.Get(ctx, key, t.lease)
	switch {
	case apierrors.IsForbidden(err):
		return nil, nil
	case apierrors.IsNotFound(err):
		t.lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: turnName, Labels: map[string]string{odiv1.LabelManagedBy: odiv1.ManagedByOdi},
		}}
		t.claim(command)
		err = c.Create(ctx, t.lease)
	case err == nil:
		t.Former = holder(t.lease)
		if err := t.waitForSilence(ctx); err != nil {
			return nil, err
		}
		t.claim(command)
		err = c.Update(ctx, t.lease)
	}
	if apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
		return nil, errors.New("another odi has just begun to change the release; wait until it is done")
	}
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) { // not found: there is no namespace
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("taking turns with other odis: %w", err)
	}
	renewing, stop := context.WithCancel(ctx)
	t.stop = stop
	t.done.Go(func() { t.renew(renewing) })
	return t, nil
}

// waitForSilence is an error when the holder says anything.
func (t *Turn) waitForSilence(ctx context.Context) error {
	key, last := client.ObjectKeyFromObject(t.lease), t.lease.ResourceVersion
	ticker := time.NewTicker(renewEvery / 3)
	defer ticker.Stop()
	for end := time.Now().Add(silentFor); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		err := t.client.Get(ctx, key, t.lease)
		if apierrors.IsNotFound(err) || err == nil && t.lease.ResourceVersion != last {
			return fmt.Errorf("%s changes odi in %s now; wait until it is done, then try again", t.Former, key.Namespace)
		}
		if err != nil {
			return fmt.Errorf("watching another odi: %w", err)
		}
	}
	return nil
}

func (t *Turn) claim(command string) {
	name, seconds, now := holderName(command), int32(silentFor/time.Second), metav1.NewMicroTime(time.Now())
	t.lease.Spec = coordinationv1.LeaseSpec{
		HolderIdentity: &name, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now,
	}
}

// renew says that this odi is alive, until ctx ends. Whoever takes the turn away ends that, too.
func (t *Turn) renew(ctx context.Context) {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := metav1.NewMicroTime(time.Now())
		t.lease.Spec.RenewTime = &now
		if err := t.client.Update(ctx, t.lease); apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			return
		}
	}
}

// End gives the turn back. A nil turn has nothing to give.
func (t *Turn) End(ctx context.Context) {
	if t == nil {
		return
	}
	t.stop()
	t.done.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewEvery)
	defer cancel()
	version := t.lease.ResourceVersion
	// If it fails, the next one takes it from a silent holder.
	_ = t.client.Delete(ctx, t.lease, client.Preconditions{ResourceVersion: &version})
}

// holderName is "odi install of ann on laptop (pid 42)".
func holderName(command string) string {
	who, where := "somebody", "an unknown machine"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		where = host
	}
	return fmt.Sprintf("%s of %s on %s (pid %d)", command, who, where, os.Getpid())
}

func holder(lease *coordinationv1.Lease) string {
	if name := lease.Spec.HolderIdentity; name != nil && *name != "" {
		return *name
	}
	return "another odi"
}
