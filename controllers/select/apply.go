package selection

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	odiac "github.com/odi-dev/odi/api/applyconfiguration/api/v1alpha1"
	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// parallelWrites of one namespace: enough to select 1,000 workloads in seconds,
// and well below what the API server gives one client.
const parallelWrites = 8

// apply writes what differs. One failure does not hide or stop the others.
func (c *Controller) apply(ctx context.Context, in input, p plan) error {
	existing := map[string]*odiv1.InstrumentedWorkload{}
	for i := range in.existing {
		existing[in.existing[i].Name] = &in.existing[i]
	}
	var specs, conditions []func() error
	changes := 0
	for _, s := range p.selections {
		have := existing[s.workload.ObjectName()]
		if have == nil {
			have = &odiv1.InstrumentedWorkload{}
		}
		if !sameSpec(have, s) {
			changes++
		}
		generation := int64(0) // 0 until the spec is written
		specs = append(specs, func() (err error) {
			generation, err = c.writeSpec(ctx, s, have, changes <= mostEvents)
			return err
		})
		conditions = append(conditions, func() error { return c.writeCondition(ctx, s, have, generation) })
	}
	for i := range p.deselected {
		specs = append(specs, func() error { return c.deselect(ctx, &p.deselected[i], in.workloads) })
	}
	// What others work on goes first: a large namespace is instrumented while people wait for its conditions.
	err := errors.Join(inParallel(specs), inParallel(conditions))
	for _, o := range p.outcomes {
		err = errors.Join(err, c.report(ctx, o))
	}
	return err
}

func inParallel(jobs []func() error) error {
	errs := make([]error, len(jobs))
	var group errgroup.Group
	group.SetLimit(parallelWrites)
	for i, job := range jobs {
		group.Go(func() error {
			errs[i] = job()
			return nil
		})
	}
	_ = group.Wait() // The jobs' errors are in errs.
	return errors.Join(errs...)
}

// mostEvents of one pass over a namespace. Of a mass of workloads, the Event on the config tells.
const mostEvents = 100

// writeSpec writes the select part of one InstrumentedWorkload and returns its generation.
func (c *Controller) writeSpec(ctx context.Context, s selection, have *odiv1.InstrumentedWorkload, tell bool) (int64, error) {
	if sameSpec(have, s) {
		return have.Generation, nil
	}
	applied, err := c.applySpec(ctx, s)
	if err != nil {
		return 0, err
	}
	if tell {
		c.events.Eventf(s.workload.Object, s.config, corev1.EventTypeNormal, odiv1.ReasonSelected, "Select", "%s", s.why)
	}
	return *applied.Generation, nil
}

// writeCondition tells people of a selection that was written.
func (c *Controller) writeCondition(ctx context.Context, s selection, have *odiv1.InstrumentedWorkload, generation int64) error {
	if generation == 0 {
		return nil // The selection failed, and is tried again.
	}
	want := metav1.Condition{
		Type:               odiv1.ConditionSelected,
		Status:             metav1.ConditionTrue,
		Reason:             odiv1.ReasonSelected,
		Message:            s.why,
		ObservedGeneration: generation,
	}
	if old := meta.FindStatusCondition(have.Status.Conditions, want.Type); old != nil && sameSpec(have, s) {
		// Generations that only carry new decisions say nothing new about the selection.
		want.ObservedGeneration = old.ObservedGeneration
	}
	if kube.SameCondition(have.Status.Conditions, want) {
		return nil
	}
	status := odiac.InstrumentedWorkloadStatus().WithConditions(kube.Condition(c.now(), have.Status.Conditions, want))
	ac := odiac.InstrumentedWorkload(s.workload.ObjectName(), s.workload.Namespace).WithStatus(status)
	if err := c.client.Status().Apply(ctx, ac, fieldManager, client.ForceOwnership); err != nil {
		return fmt.Errorf("writing the selection of %s: %w", s.workload, err)
	}
	return nil
}

func sameSpec(have *odiv1.InstrumentedWorkload, s selection) bool {
	want := s.config.Spec
	return have.Spec.Workload == s.workload.Local() && have.Spec.Config == s.config.Name &&
		slices.Equal(have.Spec.Signals, want.Signals) && slices.Equal(have.Spec.IgnoredPaths, want.HTTP.Ignored) &&
		slices.Equal(have.Spec.Routes, want.HTTP.Routes) && slices.Equal(have.Spec.QueryKeys, want.HTTP.QueryKeys) && have.Spec.SamplingRatio == want.Sampling.Ratio &&
		slices.Equal(have.Spec.SamplingRules, want.Sampling.Rules) &&
		have.Spec.Propagation == want.Propagation &&
		len(have.OwnerReferences) == 1 && have.OwnerReferences[0].UID == s.workload.Object.GetUID()
}

// applySpec creates or changes the InstrumentedWorkload. The workload owns it, so
// that it goes with the workload even while no manager runs.
func (c *Controller) applySpec(ctx context.Context, s selection) (*odiac.InstrumentedWorkloadApplyConfiguration, error) {
	gvk, err := apiutil.GVKForObject(s.workload.Object, c.client.Scheme())
	if err != nil {
		return nil, fmt.Errorf("finding the API version of %s: %w", s.workload, err)
	}
	ac := odiac.InstrumentedWorkload(s.workload.ObjectName(), s.workload.Namespace).
		WithLabels(map[string]string{odiv1.LabelManagedBy: odiv1.ManagedByOdi}).
		WithOwnerReferences(metav1ac.OwnerReference().
			WithAPIVersion(gvk.GroupVersion().String()).
			WithKind(gvk.Kind).
			WithName(s.workload.Name).
			WithUID(s.workload.Object.GetUID())).
		WithSpec(specOf(s))
	if err := c.client.Apply(ctx, ac, fieldManager, client.ForceOwnership); err != nil {
		return nil, fmt.Errorf("selecting %s: %w", s.workload, err)
	}
	return ac, nil
}

func specOf(s selection) *odiac.InstrumentedWorkloadSpecApplyConfiguration {
	ac := odiac.InstrumentedWorkloadSpec().
		WithWorkload(odiac.WorkloadReference().WithKind(s.workload.Kind).WithName(s.workload.Name)).
		WithConfig(s.config.Name).
		WithSignals(s.config.Spec.Signals...).
		WithIgnoredPaths(s.config.Spec.HTTP.Ignored...).
		WithRoutes(s.config.Spec.HTTP.Routes...).
		WithQueryKeys(s.config.Spec.HTTP.QueryKeys...)
	if ratio := s.config.Spec.Sampling.Ratio; ratio != "" {
		ac.WithSamplingRatio(ratio)
	}
	for _, rule := range s.config.Spec.Sampling.Rules {
		ac.WithSamplingRules(samplingRule(rule))
	}
	if choice := s.config.Spec.Propagation; choice != "" {
		ac.WithPropagation(choice)
	}
	return ac
}

func samplingRule(rule odiv1.SamplingRule) *odiac.SamplingRuleApplyConfiguration {
	ac := odiac.SamplingRule().WithPath(rule.Path).WithRatio(rule.Ratio)
	if rule.Method != "" {
		ac.WithMethod(rule.Method)
	}
	return ac
}

// deselect deletes an InstrumentedWorkload and says so on its workload, if that is still there.
func (c *Controller) deselect(ctx context.Context, iw *odiv1.InstrumentedWorkload, workloads []kube.Workload) error {
	ref := workload.In(iw.Namespace, iw.Spec.Workload)
	if err := c.client.Delete(ctx, iw); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("deselecting %s: %w", ref, err)
	}
	gone := !slices.ContainsFunc(workloads, func(w kube.Workload) bool { return w.Reference == ref })
	if gone && len(workloads) > 0 {
		return nil
	}
	c.events.Eventf(kube.WorkloadReference(iw), nil, corev1.EventTypeNormal, "Deselected", "Deselect",
		"No InstrumentationConfig selects this workload any more.")
	return nil
}

// conditionsOf says a verdict in the conditions that people and programs (kstatus) read.
// A workload that is not there yet may come, for example later in the same batch
// of manifests: that is no failure.
func conditionsOf(v verdict) []metav1.Condition {
	reconciling := metav1.Condition{Type: odiv1.ConditionReconciling, Status: metav1.ConditionFalse, Reason: odiv1.ReasonReconcileSucceeded}
	stalled := metav1.Condition{Type: odiv1.ConditionStalled, Status: kube.Status(v.status == metav1.ConditionFalse), Reason: v.reason}
	if v.reason == odiv1.ReasonWorkloadNotFound {
		reconciling.Status, reconciling.Reason = metav1.ConditionTrue, odiv1.ReasonReconcileInProgress
		stalled.Status = metav1.ConditionFalse
	}
	return []metav1.Condition{{Type: odiv1.ConditionReady, Status: v.status, Reason: v.reason, Message: v.message}, reconciling, stalled}
}

// report writes the status of one config.
func (c *Controller) report(ctx context.Context, o outcome) error {
	have := o.config.Status
	wants := conditionsOf(o.ready)
	same := have.Workloads == o.won && have.Instrumented == o.instrumented && have.ObservedGeneration == o.config.Generation
	status := odiac.InstrumentationConfigStatus().
		WithObservedGeneration(o.config.Generation).
		WithWorkloads(o.won).
		WithInstrumented(o.instrumented)
	for _, want := range wants {
		want.ObservedGeneration = o.config.Generation
		same = same && kube.SameCondition(have.Conditions, want)
		status.WithConditions(kube.Condition(c.now(), have.Conditions, want))
	}
	if same {
		return nil
	}
	ac := odiac.InstrumentationConfig(o.config.Name, o.config.Namespace).WithStatus(status)
	if err := c.client.Status().Apply(ctx, ac, fieldManager, client.ForceOwnership); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reporting on InstrumentationConfig %s/%s: %w", o.config.Namespace, o.config.Name, err)
	}
	if old := meta.FindStatusCondition(have.Conditions, odiv1.ConditionReady); old == nil || old.Reason != o.ready.reason {
		kind := corev1.EventTypeNormal
		if o.ready.status == metav1.ConditionFalse {
			kind = corev1.EventTypeWarning
		}
		c.events.Eventf(o.config, nil, kind, o.ready.reason, "Select", "%s", o.ready.message)
	}
	return nil
}
