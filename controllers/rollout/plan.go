package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Kind is what a step is.
type Kind string

// The steps.
const (
	// Nothing is to be done or said: the workload never had an agent, and has none.
	Nothing Kind = "Nothing"
	// Wait leaves everything as it is for a while.
	Wait Kind = "Wait"
	// OfferCanary offers one slot to the next pod.
	OfferCanary Kind = "OfferCanary"
	// Evict takes one pod away, which its owner makes anew.
	Evict Kind = "Evict"
	// Soak waits until the canary was ready for long enough.
	Soak Kind = "Soak"
	// RollOut gives the agents to every new pod.
	RollOut Kind = "RollOut"
	// RollBack gives them to none, and remembers why.
	RollBack Kind = "RollBack"
	// Done means that every pod is as it should be.
	Done Kind = "Done"
	// Manual gives the agents to every new pod and evicts none.
	Manual Kind = "Manual"
)

// Step is what is next, and what users are told of it.
type Step struct {
	Kind    Kind
	Stage   odiv1.RolloutStage
	Phase   string
	Pod     *Pod
	Trouble *Trouble
	// Missed means that a pod was evicted in vain: what came for it had no agent.
	Missed  bool
	Reason  string
	Message string
	// Again is when to look again if nothing happens.
	Again time.Duration
}

// Judgements about time.
const (
	// settle is how long the webhook's copy of a plan may be older than the plan.
	settle = 2 * time.Second
	// orphanPatience lets a config that is deleted and made anew, as some tools change it, find its pods as they were.
	orphanPatience = 10 * time.Second
	// soak is how long a canary whose agent says that it is alive has to be ready, and silentSoak one of which nobody says that.
	// In it the odiglets tell of two slices of answers that were whole.
	soak, silentSoak = 20 * time.Second, 60 * time.Second
	// appearWithin is how long the pod of a claim may take to be there.
	appearWithin = 60 * time.Second
	// startWindow is how long after a pod was made its troubles are put down to its agents.
	startWindow = 10 * time.Minute
	// lookAgain is often enough for what no watch tells.
	lookAgain = 5 * time.Second
	// mostRolling workloads of the cluster roll at once.
	mostRolling = 5
)

// Plan decides what is next.
func Plan(now time.Time, o Observed) Step {
	switch {
	case len(o.Wanted) == 0:
		return remove(now, o)
	case o.failedBefore() != nil:
		f := o.failedBefore()
		return Step{Kind: Wait, Stage: odiv1.RolloutStageNone, Phase: odiv1.PhaseRollingBack, Reason: f.Reason, Message: f.Message, Again: lookAgain}
	case o.Mode == odiv1.RolloutManual:
		return manual(now, o)
	case o.Plan == nil || o.Plan.Revision != o.Revision || o.Status.Phase == odiv1.PhaseManual:
		return start(now, o)
	case o.Plan.Stage == odiv1.RolloutStageCanary:
		return watchCanary(now, o)
	case o.Plan.Stage == odiv1.RolloutStageAll:
		return rollOut(now, o)
	}
	return start(now, o)
}

// wait is a step that leaves the stage.
func wait(stage odiv1.RolloutStage, phase, reason, format string, args ...any) Step {
	return Step{Kind: Wait, Stage: stage, Phase: phase, Reason: reason, Message: fmt.Sprintf(format, args...), Again: lookAgain}
}

// manual gives every new pod the agents: whoever restarts pods by hand is the canary.
func manual(now time.Time, o Observed) Step {
	if trouble := anyTrouble(now, o); trouble != nil {
		return rollBack(trouble)
	}
	s := Step{Kind: Manual, Stage: odiv1.RolloutStageAll, Phase: odiv1.PhaseManual, Reason: odiv1.ReasonRolloutManual, Again: time.Minute}
	if left := len(o.outdated()); left > 0 {
		s.Message = fmt.Sprintf("%s to be made anew to get agents; spec.rollout is Manual, so odi evicts none.", have(left))
		return s
	}
	s.Message = "Every pod has its agents."
	return s
}

func have(pods int) string {
	if pods == 1 {
		return "1 pod has"
	}
	return fmt.Sprintf("%d pods have", pods)
}

// start offers the canary slot as soon as the workload is well.
func start(now time.Time, o Observed) Step {
	none := odiv1.RolloutStageNone
	live := o.live()
	if len(live) > 0 && len(o.outdated()) == 0 {
		return Step{Kind: RollOut, Stage: odiv1.RolloutStageAll, Phase: odiv1.PhaseRollingOut, Reason: odiv1.ReasonRollingOut, Message: "Every pod has its agents.", Again: time.Second}
	}
	if broken := o.broken(now); broken != nil {
		return evict(now, o, broken, none, odiv1.PhaseRollingBack)
	}
	if held := hold(o, false); held != nil {
		return offer(odiv1.PhaseWaiting, held.Reason, held.Message)
	}
	if s := gate(now, o, none); s != nil {
		return *s
	}
	return offer(odiv1.PhaseCanary, odiv1.ReasonCanary, "One pod is made anew with agents; the others follow when it works.")
}

func offer(phase, reason, message string) Step {
	return Step{Kind: OfferCanary, Stage: odiv1.RolloutStageCanary, Phase: phase, Reason: reason, Message: message, Again: settle}
}

// gate keeps a workload waiting that is not well, or for which too many others are at it; nil when it may begin.
func gate(now time.Time, o Observed, stage odiv1.RolloutStage) *Step {
	var s Step
	switch {
	case len(o.live()) == 0:
		s = wait(stage, odiv1.PhaseWaiting, odiv1.ReasonWaitingForPods, "No pod runs now; the first that does gets agents.")
		if stage == odiv1.RolloutStageNone {
			s = offer(odiv1.PhaseWaiting, s.Reason, s.Message)
		}
	case !o.steady(now, victim(o)):
		s = wait(stage, odiv1.PhaseWaiting, odiv1.ReasonWaitingForPods, "Agents wait until every pod of the workload is there and ready.")
	case o.Rolling >= mostRolling:
		s = wait(stage, odiv1.PhaseWaiting, odiv1.ReasonRolloutQueued, "%d other workloads are being rolled out, which is as many as odi does at once.", o.Rolling)
	default:
		return nil
	}
	return &s
}

// victim is the pod that goes next: one that is not ready first, of a StatefulSet the highest, else the
// youngest, which did least so far.
func victim(o Observed) *Pod {
	if p := o.chosen(); p != nil && !o.isCurrent(*p) {
		return p
	}
	candidates := o.outdated()
	if len(candidates) == 0 {
		return nil
	}
	best := slices.MinFunc(candidates, func(a, b Pod) int {
		return cmp.Or(cmpBool(a.Ready, b.Ready), cmp.Compare(b.Ordinal, a.Ordinal), b.Created.Compare(a.Created), cmp.Compare(a.Name, b.Name))
	})
	return &best
}

func cmpBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// rollBack ends the rollout of a revision.
func rollBack(t *Trouble) Step {
	return Step{
		Kind: RollBack, Stage: odiv1.RolloutStageNone, Phase: odiv1.PhaseRollingBack, Trouble: t,
		Reason: t.Reason, Message: t.Message, Again: time.Second,
	}
}

// anyTrouble is the first that a pod with the wanted agents has, or that odiglets tell of.
func anyTrouble(now time.Time, o Observed) *Trouble {
	some := false
	for _, p := range o.Pods {
		if p.Leaving || len(p.Agents) == 0 || !o.isCurrent(p) {
			continue
		}
		some = some || !p.Ended
		if t := p.Trouble; t != nil && at(t, now).Sub(p.Created) < startWindow {
			return t
		}
	}
	if !some {
		return nil // What odiglets say is of pods that have gone.
	}
	return o.toldTrouble(now)
}

func at(t *Trouble, now time.Time) time.Time {
	if t.At.IsZero() {
		return now
	}
	return t.At
}

// broken is a pod whose agents broke it and are not wanted any more; nil when there is none.
func (o Observed) broken(now time.Time) *Pod {
	for _, p := range o.outdated() {
		if len(p.Agents) > 0 && (p.Trouble != nil || !p.Ready && now.Sub(p.Created) > o.ReadyWithin) {
			return &p
		}
	}
	return nil
}

// backoff is how long to wait after pods were evicted in vain so often in a row.
func backoff(attempts int32) time.Duration {
	steps := []time.Duration{0, 30 * time.Second, 2 * time.Minute, time.Hour}
	return steps[min(int(attempts), len(steps)-1)]
}

// inVain says whether what came for the pod that was evicted last is not as wanted.
func (o Observed) inVain() bool {
	before := o.Status.Phase == odiv1.PhaseRollingBack && !o.Status.Since.Before(&o.Status.EvictedAt)
	if o.Status.Evicted == "" || before { // What came while agents were wanted was not in vain then.
		return false
	}
	newest := Pod{}
	for _, p := range o.live() {
		if p.UID != o.Status.Evicted && !p.Created.Before(o.Status.EvictedAt.Truncate(time.Second)) && !p.Created.Before(newest.Created) {
			newest = p
		}
	}
	return newest.UID != "" && !o.isCurrent(newest)
}
