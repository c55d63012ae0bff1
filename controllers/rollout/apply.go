package rollout

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiac "github.com/odi-dev/odi/api/applyconfiguration/api/v1alpha1"
	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// apply writes what a step is, then does it: first the status, so that a pod is recorded before it is
// evicted and a failure before its agent is withdrawn; then the plan; then the one eviction.
func (c *Controller) apply(ctx context.Context, iw *odiv1.InstrumentedWorkload, o Observed, s Step) (reconcile.Result, error) {
	r := record(c.now(), o, s)
	if o.Orphaned {
		c.remember(client.ObjectKeyFromObject(iw), s, r)
	} else if err := c.applyStatus(ctx, iw, r); err != nil {
		return reconcile.Result{}, err
	} else if err := c.applyPlan(ctx, iw, r.Plan); err != nil {
		return reconcile.Result{}, err
	}
	c.announce(iw, o, s)
	if s.Kind != Evict {
		return reconcile.Result{RequeueAfter: s.Again}, nil
	}
	return c.evict(ctx, iw, o, s)
}

// remember keeps what an InstrumentedWorkload would hold.
func (c *Controller) remember(key client.ObjectKey, s Step, r Record) {
	if s.Kind == Nothing {
		delete(c.orphans, key)
		return
	}
	c.orphans[key] = r.Status
}

// evict asks for one pod to go. The API server does so only if the pod is as it was seen: one that was
// evicted meanwhile has another resourceVersion.
func (c *Controller) evict(ctx context.Context, iw *odiv1.InstrumentedWorkload, o Observed, s Step) (reconcile.Result, error) {
	uid := types.UID(s.Pod.UID)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: iw.Namespace, Name: s.Pod.Name}}
	err := c.client.SubResource("eviction").Create(ctx, pod, &policyv1.Eviction{
		ObjectMeta:    metav1.ObjectMeta{Namespace: iw.Namespace, Name: s.Pod.Name},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &s.Pod.ResourceVersion}},
	})
	switch {
	case apierrors.IsTooManyRequests(err):
		return c.refused(ctx, iw, o, s)
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return reconcile.Result{RequeueAfter: time.Second}, nil // It changed or went since it was read.
	case err != nil:
		return reconcile.Result{}, fmt.Errorf("evicting pod %s/%s: %w", iw.Namespace, s.Pod.Name, err)
	}
	c.events.Eventf(kube.WorkloadReference(iw), pod, corev1.EventTypeNormal, odiv1.ReasonEvicted, "RollOut", "%s", s.Message)
	return reconcile.Result{RequeueAfter: s.Again}, nil
}

// refused says that a PodDisruptionBudget keeps the pod, and asks again, the later the longer it does.
func (c *Controller) refused(ctx context.Context, iw *odiv1.InstrumentedWorkload, o Observed, s Step) (reconcile.Result, error) {
	r := record(c.now(), o, s)
	const least, most = 2 * time.Second, time.Minute
	later := reconcile.Result{RequeueAfter: min(max(c.now().Sub(r.Status.EvictedAt.Time)/2, least), most)}
	if o.Orphaned {
		return later, nil
	}
	r.Condition.Reason = odiv1.ReasonDisruptionBudget
	r.Condition.Message = fmt.Sprintf("A PodDisruptionBudget keeps pod %s for now; it is asked again.", s.Pod.Name)
	was := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionRolledOut)
	if was == nil || was.Reason != r.Condition.Reason {
		c.events.Eventf(kube.WorkloadReference(iw), nil, corev1.EventTypeNormal, r.Condition.Reason, "RollOut", "%s", r.Condition.Message)
	}
	return later, c.applyStatus(ctx, iw, r)
}

// applyStatus writes the record and the condition where they differ.
func (c *Controller) applyStatus(ctx context.Context, iw *odiv1.InstrumentedWorkload, r Record) error {
	have := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionRolledOut)
	same := equality.Semantic.DeepEqual(iw.Status.Rollout, r.Status)
	if r.Condition == nil {
		same = same && have == nil
	} else {
		r.Condition.ObservedGeneration = iw.Generation
		same = same && kube.SameCondition(iw.Status.Conditions, *r.Condition)
	}
	if same {
		return nil
	}
	status := odiac.InstrumentedWorkloadStatus()
	if !equality.Semantic.DeepEqual(r.Status, odiv1.RolloutStatus{}) {
		status.WithRollout(rolloutStatus(r.Status))
	}
	if r.Condition != nil {
		status.WithConditions(kube.Condition(c.now(), iw.Status.Conditions, *r.Condition))
	}
	ac := odiac.InstrumentedWorkload(iw.Name, iw.Namespace).WithUID(iw.UID).WithStatus(status)
	if err := c.client.Status().Apply(ctx, ac, fieldManager, client.ForceOwnership); err != nil {
		return fmt.Errorf("writing the rollout of %s/%s: %w", iw.Namespace, iw.Name, err)
	}
	return nil
}

func rolloutStatus(s odiv1.RolloutStatus) *odiac.RolloutStatusApplyConfiguration {
	ac := odiac.RolloutStatus().WithPods(s.Pods)
	if s.Phase != "" {
		ac.WithPhase(s.Phase).WithSince(s.Since)
	}
	if s.Evicted != "" {
		ac.WithEvicted(s.Evicted).WithEvictedAt(s.EvictedAt)
	}
	if s.UsualStart > 0 {
		ac.WithUsualStart(s.UsualStart)
	}
	if s.Attempts > 0 {
		ac.WithAttempts(s.Attempts)
	}
	for _, e := range s.ErrorRates {
		ac.WithErrorRates(odiac.ErrorRate().WithContainer(e.Container).WithComparison(e.Comparison))
	}
	for _, f := range s.Failures {
		ac.WithFailures(odiac.AgentFailure().
			WithContainer(f.Container).WithImageID(f.ImageID).WithAgent(f.Agent).
			WithReason(f.Reason).WithMessage(f.Message).WithAt(f.At))
	}
	return ac
}

// applyPlan writes what the webhook obeys where it differs.
func (c *Controller) applyPlan(ctx context.Context, iw *odiv1.InstrumentedWorkload, plan *odiv1.RolloutPlan) error {
	if equality.Semantic.DeepEqual(iw.Spec.Rollout, plan) {
		return nil
	}
	spec := odiac.InstrumentedWorkloadSpec()
	if plan != nil {
		rollout := odiac.RolloutPlan().WithRevision(plan.Revision).WithStage(plan.Stage).WithSlot(plan.Slot)
		if !plan.WatchUntil.IsZero() {
			rollout.WithWatchUntil(plan.WatchUntil)
		}
		spec.WithRollout(rollout)
	}
	ac := odiac.InstrumentedWorkload(iw.Name, iw.Namespace).WithUID(iw.UID).WithSpec(spec)
	if err := c.client.Apply(ctx, ac, fieldManager, client.ForceOwnership); err != nil {
		return fmt.Errorf("writing the plan of %s/%s: %w", iw.Namespace, iw.Name, err)
	}
	return nil
}

// announce makes an Event on the workload when a step is of another reason than the last; evictions have their own.
func (c *Controller) announce(iw *odiv1.InstrumentedWorkload, o Observed, s Step) {
	before := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionRolledOut)
	switch {
	case s.Kind == Nothing, s.Kind == Evict, before != nil && before.Reason == s.Reason:
		return
	case o.Orphaned && o.Status.Phase != "":
		return
	}
	kind := corev1.EventTypeNormal
	if s.Kind == RollBack || s.Reason == odiv1.ReasonPodsWithoutAgent {
		kind = corev1.EventTypeWarning
	}
	c.events.Eventf(kube.WorkloadReference(iw), nil, kind, s.Reason, "RollOut", "%s", s.Message)
}
