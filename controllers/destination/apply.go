package destination

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiac "github.com/odi-dev/odi/api/applyconfiguration/api/v1alpha1"
	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// apply writes the status where it differs, and an Event for each turn.
func (c *Controller) apply(ctx context.Context, d *odiv1.Destination, o outcome) error {
	conditions := conditions(d, o)
	if same(d, o, conditions) {
		return nil
	}
	status := odiac.DestinationStatus().
		WithObservedGeneration(d.Generation).
		WithSignals(o.signals...).
		WithSent(o.counted.sent).
		WithFailed(o.counted.failed).
		WithQueued(o.queued)
	if o.lastError != "" {
		status.WithLastError(o.lastError)
	}
	for _, condition := range conditions {
		status.WithConditions(kube.Condition(c.now(), d.Status.Conditions, condition))
	}
	// The UID keeps this from making a Destination again that was deleted meanwhile.
	ac := odiac.Destination(d.Name, d.Namespace).WithUID(d.UID).WithStatus(status)
	err := c.client.Status().Apply(ctx, ac, fieldManager, client.ForceOwnership)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status of Destination %s/%s: %w", d.Namespace, d.Name, err)
	}
	c.announce(d, odiv1.ConditionReady, o.ready)
	c.announce(d, odiv1.ConditionExporting, o.exporting)
	return nil
}

// conditions are the two findings and, for tools that wait, the kstatus pair.
func conditions(d *odiv1.Destination, o outcome) []metav1.Condition {
	condition := func(kind string, v verdict) metav1.Condition {
		return metav1.Condition{
			Type: kind, Status: v.status, Reason: v.reason, Message: v.message, ObservedGeneration: d.Generation,
		}
	}
	// A Secret may come later in the same batch of manifests: who waits for it has not failed.
	waiting := o.ready.reason == odiv1.ReasonSecretMissing
	stalled := verdict{kube.Status(o.ready.status == metav1.ConditionFalse && !waiting), o.ready.reason, ""}
	working := waiting || o.ready.status == metav1.ConditionUnknown || o.exporting.status == metav1.ConditionUnknown
	reconciling := verdict{kube.Status(working), odiv1.ReasonReconcileSucceeded, ""}
	if working {
		reconciling.reason, reconciling.message = odiv1.ReasonReconcileInProgress, o.exporting.message
	}
	if waiting {
		reconciling.message = o.ready.message
	}
	return []metav1.Condition{
		condition(odiv1.ConditionReady, o.ready),
		condition(odiv1.ConditionExporting, o.exporting),
		condition(odiv1.ConditionReconciling, reconciling),
		condition(odiv1.ConditionStalled, stalled),
	}
}

func same(d *odiv1.Destination, o outcome, conditions []metav1.Condition) bool {
	s := d.Status
	if s.ObservedGeneration != d.Generation || !slices.Equal(s.Signals, o.signals) || s.LastError != o.lastError ||
		s.Sent != o.counted.sent || s.Failed != o.counted.failed || s.Queued != o.queued {
		return false
	}
	for _, condition := range conditions {
		if !kube.SameCondition(s.Conditions, condition) {
			return false
		}
	}
	return true
}

// announce makes an Event when a finding turns; Unknown is no finding.
func (c *Controller) announce(d *odiv1.Destination, kind string, v verdict) {
	before := meta.FindStatusCondition(d.Status.Conditions, kind)
	if v.status == metav1.ConditionUnknown || before != nil && before.Status == v.status && before.Reason == v.reason {
		return
	}
	severity := corev1.EventTypeNormal
	if v.status == metav1.ConditionFalse && v.reason != odiv1.ReasonDisabled {
		severity = corev1.EventTypeWarning
	}
	if v.reason == odiv1.ReasonNotReady {
		return // The Event about Ready says it.
	}
	c.events.Eventf(d, nil, severity, v.reason, "Judge", "%s", v.message)
}
