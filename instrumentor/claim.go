package instrumentor

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// taken says whether the slot that the plan offers has its pod.
func taken(iw *odiv1.InstrumentedWorkload) bool {
	c, plan := iw.Status.Canary, iw.Spec.Rollout
	return c != nil && plan != nil && c.Revision == plan.Revision && c.Slot >= plan.Slot
}

// claimer takes canary slots.
type claimer struct {
	client client.Client // without a cache
	now    func() time.Time
}

// claim takes the slot of the plan for a request, or fails. The API server compares and swaps: the plan must be
// the one that was read, and the last claim too, whoever asks and however old what he read is. What else changes
// in the status is of no matter. A claim is never tried twice: whoever does not know whether he has the slot has
// it not, and the rollout offers another.
func (c claimer) claim(ctx context.Context, iw *odiv1.InstrumentedWorkload, request string) error {
	plan := iw.Spec.Rollout
	mine := odiv1.CanaryClaim{Revision: plan.Revision, Slot: plan.Slot, Request: request, At: metav1.NewTime(c.now())}
	patch, err := json.Marshal([]Operation{
		{"test", "/spec/rollout", plan},
		{"test", "/status/canary", iw.Status.Canary},
		{"add", "/status/canary", mine},
	})
	if err != nil {
		return fmt.Errorf("writing a claim: %w", err)
	}
	object := &odiv1.InstrumentedWorkload{ObjectMeta: metav1.ObjectMeta{Namespace: iw.Namespace, Name: iw.Name}}
	if err := c.client.Status().Patch(ctx, object, client.RawPatch(types.JSONPatchType, patch)); err != nil {
		return fmt.Errorf("claiming the canary slot %d of %s/%s: %w", plan.Slot, iw.Namespace, iw.Name, err)
	}
	return nil
}
