package decide

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiac "github.com/odi-dev/odi/api/applyconfiguration/api/v1alpha1"
	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// apply writes the decisions, and the status that tells of them, where they differ.
func (c *Controller) apply(ctx context.Context, iw *odiv1.InstrumentedWorkload, decisions []odiv1.ContainerDecision) error {
	generation, err := c.applyDecisions(ctx, iw, decisions)
	if err != nil {
		return err
	}
	return c.applyStatus(ctx, iw, generation, decisions)
}

// applyDecisions returns the generation that holds the decisions.
func (c *Controller) applyDecisions(
	ctx context.Context, iw *odiv1.InstrumentedWorkload, decisions []odiv1.ContainerDecision,
) (int64, error) {
	if slices.Equal(iw.Spec.Containers, decisions) {
		return iw.Generation, nil
	}
	spec := odiac.InstrumentedWorkloadSpec()
	for _, d := range decisions {
		decision := odiac.ContainerDecision().WithName(d.Name).WithMethod(d.Method).WithReason(d.Reason).WithMessage(d.Message)
		if d.Agent != (odiv1.AgentReference{}) {
			decision.WithAgent(odiac.AgentReference().
				WithLanguage(d.Agent.Language).WithVersion(d.Agent.Version).WithImage(d.Agent.Image))
		}
		spec.WithContainers(decision)
	}
	// The UID keeps this from making an InstrumentedWorkload again that was deleted meanwhile.
	ac := odiac.InstrumentedWorkload(iw.Name, iw.Namespace).WithUID(iw.UID).WithSpec(spec)
	if err := c.client.Apply(ctx, ac, fieldManager, client.ForceOwnership); err != nil {
		return 0, fmt.Errorf("writing the decisions for %s/%s: %w", iw.Namespace, iw.Name, err)
	}
	c.announce(iw, decisions)
	return *ac.Generation, nil
}

// announce makes one Event per reason, since Events of one reason within minutes
// are counted under the text of the first.
func (c *Controller) announce(iw *odiv1.InstrumentedWorkload, decisions []odiv1.ContainerDecision) {
	names := map[string][]string{}
	for _, d := range decisions {
		if !slices.Contains(iw.Spec.Containers, d) {
			names[d.Reason] = append(names[d.Reason], d.Name)
		}
	}
	for _, d := range decisions {
		if names[d.Reason] == nil {
			continue
		}
		kind := corev1.EventTypeNormal
		if d.Reason == odiv1.ReasonUnknownAgentVersion {
			kind = corev1.EventTypeWarning
		}
		c.events.Eventf(kube.WorkloadReference(iw), iw, kind, d.Reason, "Decide",
			"%s: %s. %s", strings.Join(names[d.Reason], ", "), d.Method, d.Message)
		delete(names, d.Reason)
	}
}

// applyStatus tells people of the decisions.
func (c *Controller) applyStatus(
	ctx context.Context, iw *odiv1.InstrumentedWorkload, generation int64, decisions []odiv1.ContainerDecision,
) error {
	methods := summary(decisions)
	want := metav1.Condition{
		Type:               odiv1.ConditionDecided,
		Status:             metav1.ConditionTrue,
		Reason:             odiv1.ReasonDecided,
		Message:            fmt.Sprintf("Every container has a method: %s.", methods),
		ObservedGeneration: generation,
	}
	for _, d := range decisions {
		if d.Reason == odiv1.ReasonUnknownAgentVersion { // Only the user can mend it.
			want.Status, want.Reason, want.Message = metav1.ConditionFalse, d.Reason, d.Message
		}
	}
	if iw.Status.Methods == methods && iw.Status.ObservedGeneration == generation && kube.SameCondition(iw.Status.Conditions, want) {
		return nil
	}
	status := odiac.InstrumentedWorkloadStatus().
		WithObservedGeneration(generation).
		WithMethods(methods).
		WithConditions(kube.Condition(c.now(), iw.Status.Conditions, want))
	ac := odiac.InstrumentedWorkload(iw.Name, iw.Namespace).WithUID(iw.UID).WithStatus(status)
	if err := c.client.Status().Apply(ctx, ac, fieldManager, client.ForceOwnership); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing the status of %s/%s: %w", iw.Namespace, iw.Name, err)
	}
	return nil
}

// summaryLength is what status.methods holds.
const summaryLength = 256

// summary lists the methods for people: "eBPF", or by container when they differ.
func summary(decisions []odiv1.ContainerDecision) string {
	var methods, named []string
	for _, d := range decisions {
		if !slices.Contains(methods, string(d.Method)) {
			methods = append(methods, string(d.Method))
		}
		named = append(named, d.Name+"="+string(d.Method))
	}
	text := strings.Join(named, ", ")
	if len(methods) <= 1 || len(text) > summaryLength {
		text = strings.Join(methods, ", ")
	}
	return text
}
