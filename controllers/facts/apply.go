package facts

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiac "github.com/odi-dev/odi/api/applyconfiguration/api/v1alpha1"
	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// apply writes the status where it differs, and makes an Event when people would want to know.
func (c *Controller) apply(ctx context.Context, iw *odiv1.InstrumentedWorkload, r Result) error {
	have := iw.Status
	status := odiac.InstrumentedWorkloadStatus().
		WithRuntimes(r.Runtimes).
		WithPods(r.Pods).
		WithInstrumentedPods(r.InstrumentedPods)
	for _, s := range r.Containers {
		status.WithContainers(container(s))
	}
	same := have.Runtimes == r.Runtimes && have.Pods == r.Pods && have.InstrumentedPods == r.InstrumentedPods &&
		equality.Semantic.DeepEqual(have.Containers, r.Containers)
	detected := condition(iw, odiv1.ConditionRuntimeDetected, r.RuntimeDetected)
	instrumented := condition(iw, odiv1.ConditionInstrumented, r.Instrumented)
	for _, want := range []metav1.Condition{detected, instrumented} {
		same = same && kube.SameCondition(have.Conditions, want)
		status.WithConditions(kube.Condition(c.now(), have.Conditions, want))
	}
	if same {
		return nil
	}
	ac := odiac.InstrumentedWorkload(iw.Name, iw.Namespace).WithUID(iw.UID).WithStatus(status)
	if err := c.client.Status().Apply(ctx, ac, fieldManager, client.ForceOwnership); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("writing what runs in %s/%s: %w", iw.Namespace, iw.Name, err)
	}
	c.announce(iw, detected)
	c.announce(iw, instrumented)
	return nil
}

func condition(iw *odiv1.InstrumentedWorkload, kind string, v Verdict) metav1.Condition {
	return metav1.Condition{
		Type: kind, Status: v.status(), Reason: v.Reason, Message: v.Message, ObservedGeneration: iw.Generation,
	}
}

func container(s odiv1.ContainerStatus) *odiac.ContainerStatusApplyConfiguration {
	runtime := odiac.Runtime().WithLanguage(s.Runtime.Language).WithVersion(s.Runtime.Version).WithOtherAgent(s.Runtime.OtherAgent)
	if s.Runtime.Libc != "" { // The schema knows no empty libc.
		runtime.WithLibc(s.Runtime.Libc)
	}
	ac := odiac.ContainerStatus()
	if s.Agent != (odiv1.AgentFact{}) {
		agent := odiac.AgentFact().WithAgent(s.Agent.Agent).WithProcesses(s.Agent.Processes)
		if s.Agent.State != "" { // The schema knows no empty state.
			agent.WithState(s.Agent.State)
		}
		ac.WithAgent(agent)
	}
	if !equality.Semantic.DeepEqual(s.Start, odiv1.StartFacts{}) {
		ac.WithStart(odiac.StartFacts().WithEnvironment(s.Start.Environment...).WithSecure(s.Start.Secure).WithMemory(s.Start.Memory))
	}
	for i := range s.Answers {
		ac.WithAnswers(answersOf(&s.Answers[i]))
	}
	if s.Before != nil {
		ac.WithBefore(answersOf(s.Before))
	}
	if s.TLS != (odiv1.TLSFact{}) {
		ac.WithTLS(tlsOf(s.TLS))
	}
	return ac.
		WithName(s.Name).
		WithRuntime(runtime).
		WithProcesses(s.Processes).
		WithAttached(s.Attached).
		WithLastError(s.LastError)
}

func tlsOf(t odiv1.TLSFact) *odiac.TLSFactApplyConfiguration {
	ac := odiac.TLSFact()
	if t.ReadBy != "" {
		ac.WithReadBy(t.ReadBy)
	}
	if t.UnreadSince != nil {
		ac.WithUnreadSince(*t.UnreadSince)
	}
	return ac
}

func answersOf(a *odiv1.Answers) *odiac.AnswersApplyConfiguration {
	return odiac.Answers().WithAt(a.At).
		WithAgent(a.Agent).WithAgentFailed(a.AgentFailed).WithPlain(a.Plain).WithPlainFailed(a.PlainFailed)
}

// passing are the reasons that come and go by themselves, too small for an Event.
var passing = []string{
	odiv1.ReasonReconcileInProgress, odiv1.ReasonWaitingForNode, odiv1.ReasonAttaching, odiv1.ReasonNoPods, odiv1.ReasonRuntimeUnknown,
}

// announce makes an Event on the workload when a condition has a new reason.
func (c *Controller) announce(iw *odiv1.InstrumentedWorkload, now metav1.Condition) {
	before := meta.FindStatusCondition(iw.Status.Conditions, now.Type)
	decidedSo := slices.ContainsFunc(iw.Spec.Containers, func(d odiv1.ContainerDecision) bool { return d.Reason == now.Reason })
	switch {
	case before != nil && before.Reason == now.Reason:
		return
	case slices.Contains(passing, now.Reason), decidedSo: // decide told of the latter.
		return
	}
	kind := corev1.EventTypeNormal
	if now.Status != metav1.ConditionTrue {
		kind = corev1.EventTypeWarning
	}
	c.events.Eventf(kube.WorkloadReference(iw), iw, kind, now.Reason, "Report", "%s", now.Message)
}
