package rollout

import (
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Record is what is written of a step before it is done.
type Record struct {
	// Plan for the webhook; nil for none.
	Plan   *odiv1.RolloutPlan
	Status odiv1.RolloutStatus
	// Condition RolledOut; nil where there is nothing to say.
	Condition *metav1.Condition
}

// record says what is written of a step. Taken twice from the same observation it is the same.
func record(now time.Time, o Observed, s Step) Record {
	r := Record{Status: *o.Status.DeepCopy()}
	if s.Kind == Nothing {
		r.Status = odiv1.RolloutStatus{Failures: r.Status.Failures}
		return r
	}
	r.Plan = planOf(now, o, s)
	at := metav1.NewTime(now.Truncate(time.Second)) // What the API keeps of a time.
	if r.Status.Phase != s.Phase || s.Kind == OfferCanary {
		r.Status.Phase, r.Status.Since = s.Phase, at
	}
	r.Status.Pods, r.Status.UsualStart = carriers(o), int32(o.usualStart().Round(time.Second)/time.Second)
	r.count(at, o, s)
	r.Status.ErrorRates = errorRates(now, o)
	status := metav1.ConditionFalse
	if s.Kind == Done && s.Phase == odiv1.PhaseDone || s.Kind == Manual && len(o.outdated()) == 0 {
		status = metav1.ConditionTrue
	}
	r.Condition = &metav1.Condition{Type: odiv1.ConditionRolledOut, Status: status, Reason: s.Reason, Message: s.Message}
	if status == metav1.ConditionTrue {
		r.Condition.Message = cut(s.Message + uncompared(r.Status.ErrorRates))
	}
	return r
}

// carriers is how many pods have the agents that were decided.
func carriers(o Observed) int32 {
	n := int32(0)
	for _, p := range o.live() {
		if len(p.Agents) > 0 && o.isCurrent(p) {
			n++
		}
	}
	return n
}

// count notes what a step did before, so that it is not done for ever.
func (r *Record) count(at metav1.Time, o Observed, s Step) {
	switch s.Kind {
	case OfferCanary:
		r.Status.Evicted, r.Status.EvictedAt = "", metav1.Time{}
		r.Status.Attempts = attempts(o, s)
	case Evict:
		if r.Status.Evicted != s.Pod.UID {
			r.Status.Evicted, r.Status.EvictedAt = s.Pod.UID, at
			r.Status.Attempts = attempts(o, s)
		}
	case RollBack:
		r.Status.Failures = failures(at, o, s)
	case RollOut, Done:
		r.Status.Attempts = 0
	}
}

// planOf is the plan after a step.
func planOf(now time.Time, o Observed, s Step) *odiv1.RolloutPlan {
	if o.Revision == "" || o.Orphaned {
		return nil
	}
	plan := odiv1.RolloutPlan{Revision: o.Revision, Stage: s.Stage}
	if o.Plan != nil {
		plan.Slot = o.Plan.Slot
	}
	// A plan that went and came again must not offer what was taken before: the claim outlives the plan.
	if o.Claim != nil {
		plan.Slot = max(plan.Slot, o.Claim.Slot)
	}
	if s.Kind == OfferCanary {
		plan.Slot++
	}
	plan.WatchUntil = watchUntil(now, o, s)
	return &plan
}

// watchUntil is when the youngest pod with agents is no longer watched. It is watched from before there is one, so
// that what came before is known.
func watchUntil(now time.Time, o Observed, s Step) metav1.Time {
	if s.Stage != odiv1.RolloutStageCanary && s.Stage != odiv1.RolloutStageAll {
		return metav1.Time{}
	}
	until := o.youngestCarrier(now)
	if s.Kind == OfferCanary && s.Phase == odiv1.PhaseCanary {
		until = now
	}
	if !until.IsZero() {
		until = until.Add(startWindow).Truncate(time.Second)
	}
	if o.Plan != nil && o.Plan.Revision == o.Revision && o.Plan.WatchUntil.After(until) {
		return o.Plan.WatchUntil
	}
	return metav1.NewTime(until)
}

// youngestCarrier is when the last pod was made that has the wanted agents, if that was lately.
func (o Observed) youngestCarrier(now time.Time) (made time.Time) {
	for _, p := range o.live() {
		if len(p.Agents) > 0 && o.isCurrent(p) && p.Created.After(made) && now.Sub(p.Created) < startWindow {
			made = p.Created
		}
	}
	return made
}

// attempts counts evictions in vain; the slot of a canary that is offered anew for another reason counts none.
func attempts(o Observed, s Step) int32 {
	switch {
	case s.Missed:
		return o.Status.Attempts + 1
	case s.Kind == OfferCanary && o.Plan != nil && o.Plan.Revision == o.Revision, s.Kind == Evict && s.Stage == odiv1.RolloutStageCanary:
		return o.Status.Attempts
	}
	return 0
}

// mostFailures is what status.rollout.failures holds.
const mostFailures = 16

// failures are those so far and the new ones in front.
func failures(at metav1.Time, o Observed, s Step) []odiv1.AgentFailure {
	containers := []string{s.Trouble.Container}
	if s.Trouble.Container == "" {
		containers = slices.Sorted(maps.Keys(o.Wanted))
	}
	var added []odiv1.AgentFailure
	for _, container := range containers {
		f := odiv1.AgentFailure{
			Container: container, ImageID: imageOf(o, container), Agent: o.Wanted[container],
			Reason: s.Trouble.Reason, Message: cut(s.Trouble.Message), At: at,
		}
		same := func(before odiv1.AgentFailure) bool {
			return before.Container == f.Container && before.ImageID == f.ImageID && before.Agent == f.Agent
		}
		if !slices.ContainsFunc(o.Status.Failures, same) {
			added = append(added, f)
		}
	}
	all := slices.Concat(added, o.Status.Failures)
	return all[:min(len(all), mostFailures)]
}

// imageOf is what the pods with agents run a container with; where they never got so far, what the others do.
func imageOf(o Observed, container string) string {
	image := ""
	for _, p := range o.Pods {
		is := p.Images[container]
		if is != "" && (image == "" || len(p.Agents) > 0) {
			image = is
		}
	}
	return image
}

// cut keeps a message within what the schema takes.
func cut(message string) string {
	const most = 1024
	if len(message) <= most {
		return message
	}
	return strings.ToValidUTF8(message[:most], "")
}
