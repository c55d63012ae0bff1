package rollout

import (
	"fmt"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// watchCanary follows one pod from its eviction to the end of its soak.
func watchCanary(now time.Time, o Observed) Step {
	if claim := o.claim(); claim != nil {
		return claimed(now, o, claim)
	}
	canary := odiv1.RolloutStageCanary
	if held := hold(o, false); held != nil {
		return wait(canary, odiv1.PhaseWaiting, held.Reason, "%s", held.Message)
	}
	chosen := o.chosen()
	switch {
	case o.inVain():
		return again(now, o, o.Status.EvictedAt.Time)
	case o.Status.Phase == odiv1.PhaseWaiting:
		if s := gate(now, o, canary); s != nil {
			return *s
		}
		return offer(odiv1.PhaseCanary, odiv1.ReasonCanary, "One pod is made anew with agents; the others follow when it works.")
	case now.Sub(o.Status.Since.Time) < settle:
		return wait(canary, odiv1.PhaseCanary, odiv1.ReasonCanary, "One pod is made anew with agents; the others follow when it works.").in(settle)
	case o.Status.Evicted != "" && chosen == nil:
		return wait(canary, phaseOf(now, o), odiv1.ReasonCanary, "A pod was evicted; the one that comes for it gets agents.")
	}
	return evict(now, o, victim(o), canary, odiv1.PhaseCanary)
}

// phaseOf lets others go on where the pod that is waited for does not come.
func phaseOf(now time.Time, o Observed) string {
	if now.Sub(o.Status.EvictedAt.Time) > appearWithin {
		return odiv1.PhaseWaiting
	}
	return odiv1.PhaseCanary
}

func (s Step) in(d time.Duration) Step {
	s.Again = d
	return s
}

// again offers another slot, the later the more often it was in vain.
func again(now time.Time, o Observed, since time.Time) Step {
	words := fmt.Sprintf("Pods came without their agents, %d times in a row: the pod webhook was away, or left them out; the pods' Events say which.", o.Status.Attempts+1)
	left := since.Add(backoff(o.Status.Attempts + 1)).Sub(now)
	if left > 0 {
		return wait(odiv1.RolloutStageCanary, odiv1.PhaseWaiting, odiv1.ReasonPodsWithoutAgent, "%s", words).in(left)
	}
	if hold(o, false) == nil {
		if s := gate(now, o, odiv1.RolloutStageCanary); s != nil {
			return *s
		}
	}
	s := offer(odiv1.PhaseCanary, odiv1.ReasonPodsWithoutAgent, words)
	s.Missed = true
	return s
}

// claimed follows the pod that took the slot.
func claimed(now time.Time, o Observed, claim *odiv1.CanaryClaim) Step {
	pod := o.canary(claim)
	switch {
	case pod == nil && now.Sub(claim.At.Time) < appearWithin:
		return wait(odiv1.RolloutStageCanary, odiv1.PhaseCanary, odiv1.ReasonCanary, "A pod was admitted with agents and is waited for.")
	case pod == nil:
		return again(now, o, claim.At.Time)
	case len(pod.Agents) == 0:
		return again(now, o, pod.Created)
	}
	return carrying(now, o, pod)
}

// carrying follows the pod that has the agents.
func carrying(now time.Time, o Observed, pod *Pod) Step {
	stage := odiv1.RolloutStageCanary
	trouble := pod.Trouble
	if trouble == nil && !pod.Ended {
		trouble = o.toldTrouble(now)
	}
	switch {
	case trouble != nil:
		return rollBack(trouble)
	case pod.Ended:
		return rollTheRest()
	case !pod.Started:
		return wait(stage, phaseOf(now, o), odiv1.ReasonCanary, "Pod %s waits for a node.", pod.Name)
	case !pod.Ready && now.Sub(pod.Created) >= o.ReadyWithin:
		return rollBack(neverReady(pod, o))
	case !pod.Ready:
		left := pod.Created.Add(o.ReadyWithin).Sub(now)
		return wait(stage, odiv1.PhaseCanary, odiv1.ReasonCanary, "Pod %s starts with agents.", pod.Name).in(min(left, lookAgain))
	}
	return soaking(now, o, pod)
}

// soaking watches a pod that is ready for a while.
func soaking(now time.Time, o Observed, pod *Pod) Step {
	patience := silentSoak
	if o.alive() {
		patience = soak
	}
	if left := pod.ReadySince.Add(patience).Sub(now); left > 0 {
		s := wait(odiv1.RolloutStageCanary, odiv1.PhaseSoaking, odiv1.ReasonSoaking, "Pod %s is ready with agents, and is watched for %s.", pod.Name, patience).in(left)
		s.Kind = Soak
		return s
	}
	return rollTheRest()
}

func rollTheRest() Step {
	return Step{
		Kind: RollOut, Stage: odiv1.RolloutStageAll, Phase: odiv1.PhaseRollingOut, Reason: odiv1.ReasonRollingOut,
		Message: "One pod works with agents; the others follow one after the other.", Again: settle,
	}
}

func neverReady(pod *Pod, o Observed) *Trouble {
	return &Trouble{Reason: odiv1.ReasonNeverReady, Message: fmt.Sprintf(
		"Pod %s was not ready %s after it was made with agents.", pod.Name, o.ReadyWithin.Round(time.Second))}
}
