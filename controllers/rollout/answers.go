package rollout

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Answers is what a container answered: in slices of five seconds, and in the last minute in which no pod had the agent.
type Answers struct {
	Slices []odiv1.Answers
	Before *odiv1.Answers
}

// When answers are the agent's fault.
const (
	// leastAnswers of each side say something.
	leastAnswers = 20
	// worseBy and worseTimes keep out what an application of many requests does not notice.
	worseBy, worseTimes = 0.05, 2.0
	// worseThanBefore is for what was answered at another time: what else the application asks may have failed since.
	worseThanBefore = 0.5
	// byChance keeps out what pods that are alike show now and then: a workload is looked at up to 120 times.
	byChance = 1e-6
	// staleAnswers are of odiglets that tell nothing any more.
	staleAnswers = 2 * time.Minute
)

// errorTrouble finds a container that answers more requests with server errors since it has the agent.
func (o Observed) errorTrouble(now time.Time) *Trouble {
	since, watched := o.carriersSince(now)
	if !watched {
		return nil
	}
	for _, container := range slices.Sorted(maps.Keys(o.Wanted)) {
		a := o.Answers[container]
		with, without := compared(a.Slices, since)
		words := "those without it %s in the same time"
		margin := worseBy
		if without.all < leastAnswers && a.Before != nil {
			words, margin = "before they had it %s", worseThanBefore
			without = answered{a.Before.Plain, a.Before.PlainFailed}
		}
		if with.worseThan(without, margin) {
			return &Trouble{Container: container, Reason: odiv1.ReasonAgentErrorRate, Message: fmt.Sprintf(
				"Pods with the agent answered %s requests with a server error, "+words+".", with, without)}
		}
	}
	return nil
}

// carriersSince is since when answers tell of the wanted agents: since the first pod was made that has them, but of
// the last two minutes at most. watched says whether any is so young that what it does is put down to them.
func (o Observed) carriersSince(now time.Time) (since time.Time, watched bool) {
	for _, p := range o.live() {
		if len(p.Agents) == 0 || !o.isCurrent(p) {
			continue
		}
		if since.IsZero() || p.Created.Before(since) {
			since = p.Created
		}
		watched = watched || now.Sub(p.Created) < startWindow
	}
	if longest := now.Add(-staleAnswers); since.Before(longest) {
		since = longest
	}
	return since, watched
}

// compared adds up the slices in which pods with the agent answered, so that both sides are of the same time. The
// first of them is left out: what failed on both sides in its second half alone would look like the agent's.
func compared(told []odiv1.Answers, since time.Time) (with, without answered) {
	first := true
	for _, s := range told {
		if s.Agent == 0 || s.At.Time.Before(since) {
			continue
		}
		if first {
			first = false
			continue
		}
		with = answered{with.all + s.Agent, with.failed + s.AgentFailed}
		without = answered{without.all + s.Plain, without.failed + s.PlainFailed}
	}
	return with, without
}

// answered is how many requests were, and how many of them with a server error.
type answered struct{ all, failed int64 }

func (a answered) share() float64 {
	if a.all == 0 {
		return 0
	}
	return float64(a.failed) / float64(a.all)
}

// String is "38 of 45 (84 %)".
func (a answered) String() string {
	percent := 100 * a.share()
	if percent > 0 && percent < 10 {
		return fmt.Sprintf("%d of %d (%.1f %%)", a.failed, a.all, percent)
	}
	return fmt.Sprintf("%d of %d (%.0f %%)", a.failed, a.all, percent)
}

// worseThan says whether a share of errors is higher by so much, and not by chance.
func (a answered) worseThan(b answered, margin float64) bool {
	if a.all < leastAnswers || b.all < leastAnswers {
		return false
	}
	if a.share() < b.share()+margin || a.share() < worseTimes*b.share() {
		return false
	}
	return chance(a, b) < byChance
}

// chance is how likely so many or more of all errors are a's where nothing distinguishes a's requests from b's
// (Fisher's exact test, one-sided).
func chance(a, b answered) float64 {
	failed, p := a.failed+b.failed, 0.0
	whole := choose(a.all+b.all, failed)
	for k := a.failed; k <= min(failed, a.all); k++ {
		p += math.Exp(choose(a.all, k) + choose(b.all, failed-k) - whole)
	}
	return p
}

// choose is the logarithm of n over k.
func choose(n, k int64) float64 {
	gamma := func(x int64) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return gamma(n) - gamma(k) - gamma(n-k)
}
