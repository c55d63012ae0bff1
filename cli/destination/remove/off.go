package remove

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/streams"
)

// offTimeout bounds the wait: a manager or a gateway that is gone holds up no removal.
const offTimeout = 10 * time.Second

// switchOff returns when the gateway sends nothing to the destination any more: who
// removes one may be about to take back its credentials. Whoever may delete it but
// not change it goes without.
func switchOff(ctx context.Context, io streams.Streams, c client.Client, d *odiv1.Destination) error {
	if !mayBeSentTo(d) {
		return nil
	}
	err := c.Patch(ctx, d, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"disabled":true}}`)), client.FieldOwner("odi"))
	if apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("switching off the destination %s/%s: %w", d.Namespace, d.Name, err)
	}
	err = progress.Wait(ctx, io, offTimeout, func(ctx context.Context) ([]progress.Item, error) {
		it := progress.Item{Name: "destination " + d.Name, Text: "waiting for the gateway to let go of it"}
		err := c.Get(ctx, client.ObjectKeyFromObject(d), d)
		if client.IgnoreNotFound(err) != nil {
			return nil, fmt.Errorf("reading the destination %s/%s: %w", d.Namespace, d.Name, err)
		}
		if it.Done = err != nil || !mayBeSentTo(d); it.Done {
			it.Text = "nothing is sent to it any more"
		}
		return []progress.Item{it}, nil
	})
	if errors.Is(err, progress.ErrTimeout) {
		fmt.Fprintln(io.Err, "Nobody says that the gateway has let go of it; it may send for a while yet.")
		return nil
	}
	if ctx.Err() != nil {
		fmt.Fprintf(io.Err, "The destination %s/%s is switched off (spec.disabled) and still there; the same command goes on.\n", d.Namespace, d.Name)
	}
	return err
}

// mayBeSentTo is so unless somebody who knows says otherwise of the Destination as it
// is now. One that nobody looked at is not in the gateway.
func mayBeSentTo(d *odiv1.Destination) bool {
	exporting := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionExporting)
	if exporting == nil {
		return false
	}
	off := exporting.Reason == odiv1.ReasonDisabled || exporting.Reason == odiv1.ReasonNotReady
	return exporting.Status != metav1.ConditionFalse || !off || exporting.ObservedGeneration != d.Generation
}
