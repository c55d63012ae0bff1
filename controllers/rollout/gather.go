package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
)

// gather reads what the next step of a workload depends on. It is nil when there is no such workload.
func (c *Controller) gather(ctx context.Context, iw *odiv1.InstrumentedWorkload) (*Observed, error) {
	ref := workload.In(iw.Namespace, iw.Spec.Workload)
	w, found, err := kube.FindWorkload(ctx, c.client, ref)
	if err != nil || !found {
		return nil, err
	}
	pods, err := kube.PodsOf(ctx, c.client, ref)
	if err != nil {
		return nil, err
	}
	o := &Observed{
		Kind: ref.Kind, Pace: w.Pace, Wanted: map[string]string{}, Revision: languages.Revision(iw.Spec.Containers),
		Plan: iw.Spec.Rollout, Claim: iw.Status.Canary, Status: iw.Status.Rollout,
		Facts: map[string]odiv1.AgentFact{}, Answers: map[string]Answers{}, Pods: podsOf(pods),
	}
	var costliest, allowed time.Duration
	for _, d := range iw.Spec.Containers {
		o.Refused = o.Refused || d.Reason == odiv1.ReasonAgentFailedBefore
		if d.Method != odiv1.MethodAgent {
			continue
		}
		o.Wanted[d.Name] = d.Agent.Language + "@" + d.Agent.Version
		cost := languages.CostOf(language.Name(d.Agent.Language))
		costliest = max(costliest, cost.StartWith(w.Template.Containers[d.Name].CPULimit))
		allowed = max(allowed, w.Template.Containers[d.Name].StartWithin)
	}
	for _, s := range iw.Status.Containers {
		o.Facts[s.Name], o.Answers[s.Name] = s.Agent, Answers{Slices: s.Answers, Before: s.Before}
	}
	if !o.concernsAgents() {
		return o, nil
	}
	o.ReadyWithin = readyWithin(o.usualStart(), costliest, allowed)
	if o.Mode, err = c.mode(ctx, iw); err != nil {
		return nil, err
	}
	o.Rolling, err = c.rolling(ctx, iw)
	return o, err
}

// concernsAgents is false for most workloads: they have no agents and get none.
func (o Observed) concernsAgents() bool {
	return len(o.Wanted) > 0 || slices.ContainsFunc(o.Pods, func(p Pod) bool { return len(p.Agents) > 0 })
}

// readyWithin is twice the usual start and what the agents add, and some. Where nobody has seen a start without agents,
// it is what the probes allow. It is 45 s at least, since nobody knows how a node fares, and ten minutes at most, since
// so long a pod is missing.
func readyWithin(usual, added, allowed time.Duration) time.Duration {
	const some, readiness, least, most = 30 * time.Second, 10 * time.Second, 45 * time.Second, 10 * time.Minute
	within := 2*usual + added + some
	if usual == 0 && allowed > 0 {
		within = max(within, allowed+readiness)
	}
	return min(max(within, least), most)
}

// mode is what the config says; empty when it says nothing, or has gone.
func (c *Controller) mode(ctx context.Context, iw *odiv1.InstrumentedWorkload) (odiv1.RolloutMode, error) {
	var config odiv1.InstrumentationConfig
	err := c.client.Get(ctx, client.ObjectKey{Namespace: iw.Namespace, Name: iw.Spec.Config}, &config)
	if err != nil && !apierrors.IsNotFound(err) {
		return "", fmt.Errorf("reading the config of %s/%s: %w", iw.Namespace, iw.Name, err)
	}
	return config.Spec.Rollout, nil
}

// rolling counts the other workloads of the cluster whose pods are being evicted.
func (c *Controller) rolling(ctx context.Context, iw *odiv1.InstrumentedWorkload) (int, error) {
	var list odiv1.InstrumentedWorkloadList
	if err := c.client.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return 0, fmt.Errorf("listing InstrumentedWorkloads: %w", err)
	}
	count := 0
	for i := range list.Items {
		other := &list.Items[i]
		if other.UID != iw.UID && isRolling(other.Status.Rollout.Phase) {
			count++
		}
	}
	for key, orphan := range c.orphans {
		if orphan.Evicted != "" && key != client.ObjectKeyFromObject(iw) {
			count++
		}
	}
	return count, nil
}

func isRolling(phase string) bool {
	switch phase {
	case odiv1.PhaseCanary, odiv1.PhaseSoaking, odiv1.PhaseRollingOut, odiv1.PhaseRollingBack:
		return true
	}
	return false
}

// gatherOrphan reads the pods that still have agents of an InstrumentedWorkload that has gone; nil when there are none.
func (c *Controller) gatherOrphan(ctx context.Context, key client.ObjectKey) (*Observed, *odiv1.InstrumentedWorkload, error) {
	if c.config.Excludes(key.Namespace) {
		return nil, nil, nil
	}
	ref, found, err := c.workloadNamed(ctx, key)
	if err != nil || !found {
		return nil, nil, err
	}
	left := &odiv1.InstrumentedWorkload{}
	left.Namespace, left.Name, left.Spec.Workload = key.Namespace, key.Name, ref.Local()
	o, err := c.gather(ctx, left)
	if err != nil || o == nil {
		return nil, nil, err
	}
	o.Orphaned, o.Status = true, c.orphans[key]
	return o, left, nil
}

// workloadNamed finds the workload of a pod with agents by the name that its InstrumentedWorkload had.
func (c *Controller) workloadNamed(ctx context.Context, key client.ObjectKey) (workload.Reference, bool, error) {
	kind, _, _ := strings.Cut(key.Name, "-")
	for _, known := range workload.Kinds() {
		if !strings.EqualFold(string(known), kind) {
			continue
		}
		all, err := kube.ListWorkloads(ctx, c.client, key.Namespace, known)
		if err != nil {
			return workload.Reference{}, false, err
		}
		for _, w := range all {
			if w.ObjectName() == key.Name {
				return w.Reference, true, nil
			}
		}
	}
	return workload.Reference{}, false, nil // Pods of other controllers are not evicted anyway.
}
