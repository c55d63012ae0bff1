package rollout

import (
	"fmt"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// rollOut brings the agents to all pods that have none yet, or older ones, one after the other.
func rollOut(now time.Time, o Observed) Step {
	stage := odiv1.RolloutStageAll
	if trouble := anyTrouble(now, o); trouble != nil {
		return rollBack(trouble)
	}
	if late := lateOne(now, o); late != nil {
		return rollBack(neverReady(late, o))
	}
	left := o.outdated()
	if len(left) == 0 {
		return finished(o)
	}
	text := fmt.Sprintf("%s to get agents, one after the other.", have(len(left)))
	if held := hold(o, false); held != nil {
		return wait(stage, odiv1.PhaseWaiting, held.Reason, "%s", held.Message)
	}
	switch {
	case o.Status.Phase != odiv1.PhaseRollingOut && o.Rolling >= mostRolling:
		return wait(stage, o.Status.Phase, odiv1.ReasonRolloutQueued, "%d other workloads are being rolled out, which is as many as odi does at once.", o.Rolling)
	case o.Status.Phase != odiv1.PhaseRollingOut && o.Status.Attempts == 0:
		return wait(stage, odiv1.PhaseRollingOut, odiv1.ReasonRollingOut, "%s", text).in(settle)
	case o.Status.Phase == odiv1.PhaseRollingOut && now.Sub(o.Status.Since.Time) < settle:
		return wait(stage, odiv1.PhaseRollingOut, odiv1.ReasonRollingOut, "%s", text).in(settle)
	}
	return evict(now, o, victim(o), stage, odiv1.PhaseRollingOut)
}

// lateOne is a pod that came for an evicted one and does not become ready.
func lateOne(now time.Time, o Observed) *Pod {
	if o.Status.Phase != odiv1.PhaseRollingOut {
		return nil
	}
	for _, p := range o.live() {
		if len(p.Agents) > 0 && o.isCurrent(p) && p.Started && !p.Ready && now.Sub(p.Created) >= o.ReadyWithin &&
			!p.Created.Before(o.Status.EvictedAt.Truncate(time.Second)) {
			return &p
		}
	}
	return nil
}

// finished is Done, but not between the eviction of the last pod and its successor.
func finished(o Observed) Step {
	if missing := int(o.Pace.Desired) - len(o.live()); missing > 0 && o.Status.Phase == odiv1.PhaseRollingOut {
		return wait(odiv1.RolloutStageAll, odiv1.PhaseRollingOut, odiv1.ReasonRollingOut, "Every pod has its agents; the successor of the last is awaited.")
	}
	for _, p := range o.live() {
		if !p.Ready && o.Status.Phase == odiv1.PhaseRollingOut {
			return wait(odiv1.RolloutStageAll, odiv1.PhaseRollingOut, odiv1.ReasonRollingOut, "Every pod has its agents; %s is not ready yet.", p.Name)
		}
	}
	return Step{Kind: Done, Stage: odiv1.RolloutStageAll, Phase: odiv1.PhaseDone, Reason: odiv1.ReasonRolledOut, Message: "Every pod has its agents."}
}

// remove takes agents out that nobody wants any more: of a rollback, of a changed method, of a config that has gone.
func remove(now time.Time, o Observed) Step {
	carriers := o.outdated()
	switch {
	case len(carriers) == 0 && o.Refused && len(o.Status.Failures) > 0:
		f := o.Status.Failures[0]
		return Step{Kind: Done, Phase: odiv1.PhaseRolledBack, Reason: f.Reason, Message: f.Message}
	case len(carriers) == 0:
		return Step{Kind: Nothing}
	case o.Status.Phase != odiv1.PhaseRollingBack:
		return wait("", odiv1.PhaseRollingBack, odiv1.ReasonRemovingAgents, "%s agents that are not wanted any more.", have(len(carriers))).in(settle)
	}
	patience := settle
	if o.Orphaned {
		patience = orphanPatience
	}
	if since := now.Sub(o.Status.Since.Time); since < patience {
		return wait("", o.Status.Phase, odiv1.ReasonRemovingAgents, "%s agents that are not wanted any more.", have(len(carriers))).in(patience - since)
	}
	if held := hold(o, true); held != nil {
		return wait("", o.Status.Phase, held.Reason, "%s", held.Message)
	}
	if broken := o.broken(now); broken != nil {
		return evict(now, o, broken, "", odiv1.PhaseRollingBack)
	}
	return removeNext(now, o, len(carriers))
}

// removeNext takes the next pod that works away, as the user lets it.
func removeNext(now time.Time, o Observed, carriers int) Step {
	switch {
	case o.Mode == odiv1.RolloutManual:
		return wait("", o.Status.Phase, odiv1.ReasonRolloutManual, "%s agents that are not wanted any more; spec.rollout is Manual, so odi evicts none.", have(carriers))
	case o.Rolling >= mostRolling:
		return wait("", o.Status.Phase, odiv1.ReasonRolloutQueued, "%d other workloads are being rolled out, which is as many as odi does at once.", o.Rolling)
	}
	return evict(now, o, victim(o), "", odiv1.PhaseRollingBack)
}

// evict takes a pod away where that is no harm. One that its agents broke serves nobody.
func evict(now time.Time, o Observed, pod *Pod, stage odiv1.RolloutStage, phase string) Step {
	isBroken := len(pod.Agents) > 0 && !o.isCurrent(*pod) && (pod.Trouble != nil || !pod.Ready)
	vain := o.inVain()
	if vain {
		if left := o.Status.EvictedAt.Add(backoff(o.Status.Attempts + 1)).Sub(now); left > 0 {
			if phase != odiv1.PhaseRollingBack {
				phase = odiv1.PhaseWaiting // Others may go on.
			}
			return wait(stage, phase, odiv1.ReasonPodsWithoutAgent,
				"Pods came other than wanted, %d times in a row: the pod webhook was away, or left them out; the pods' Events say which.", o.Status.Attempts+1).in(left)
		}
	}
	if !isBroken && !o.steady(now, pod) {
		return wait(stage, phase, odiv1.ReasonWaitingForPods, "The next pod waits until every other one is there and ready.")
	}
	return Step{
		Kind: Evict, Stage: stage, Phase: phase, Pod: pod, Missed: vain, Reason: reasonOf(phase),
		Message: fmt.Sprintf("Pod %s is made anew.", pod.Name), Again: lookAgain,
	}
}

func reasonOf(phase string) string {
	switch phase {
	case odiv1.PhaseCanary:
		return odiv1.ReasonCanary
	case odiv1.PhaseRollingOut:
		return odiv1.ReasonRollingOut
	}
	return odiv1.ReasonRemovingAgents
}

// isAlone says that nothing would serve while the only pod is made anew, and that nobody allowed it.
func (o Observed) isAlone() bool {
	return o.Pace.Desired == 1 && o.Kind != odiv1.KindDaemonSet && o.Mode != odiv1.RolloutAuto
}

// held is why no pod of a workload may be evicted, and what its owner can do.
type held struct{ Reason, Message string }

// hold says why nothing may be evicted; nil when something may. To be rid of agents an only pod goes, too.
func hold(o Observed, removing bool) *held {
	switch {
	case o.Pace.Annotated:
		return &held{odiv1.ReasonNotEvictable, "The pod template has the annotation " + odiv1.AnnotationAgents +
			", which tells pods with agents from others; without it odi can go on."}
	case o.Kind == odiv1.KindJob || o.Kind == odiv1.KindCronJob:
		return &held{odiv1.ReasonNextRun, "Pods that run are not evicted; the next run has what was decided."}
	case o.Kind == odiv1.KindPod:
		return &held{odiv1.ReasonNotEvictable, "Nothing would make this pod anew, so it is not evicted; one that is made of its manifest has what was decided."}
	case !workload.IsBuiltin(o.Kind):
		return &held{odiv1.ReasonNotEvictable, "odi does not know how " + string(o.Kind) + " makes pods anew, so it evicts none; those that it makes have what was decided."}
	case o.Pace.Paused:
		return &held{odiv1.ReasonWorkloadPaused, "The Deployment is paused; pods are made anew when it is resumed."}
	case o.Pace.OnDelete:
		return &held{odiv1.ReasonUpdateOnDelete, "The update strategy is OnDelete, so odi evicts no pod; those that are deleted come with what was decided."}
	case !removing && o.isAlone():
		return &held{odiv1.ReasonSingleReplica, "Its only pod is not evicted, since nothing would serve until the next is ready: `kubectl rollout restart` " +
			"makes one with agents first, and spec.rollout Auto (odi instrument --rollout auto) lets odi evict it."}
	}
	return nil
}
