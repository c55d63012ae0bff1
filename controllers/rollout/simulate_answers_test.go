package rollout

import (
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// answersOfWorld are slices of five seconds, the oldest first, and what controllers/facts remembers.
type answersOfWorld struct {
	slices []odiv1.Answers
	before *odiv1.Answers
	rng    *rand.Rand
}

// serve lets each pod that is ready answer a few requests, of which one in a hundred fails; with agents that
// make errors, most of theirs.
func (w *world) serve() {
	const perPod = 6
	begin := metav1.NewTime(w.now.Truncate(5 * time.Second))
	all := &w.answers.slices
	if n := len(*all); n == 0 || !(*all)[n-1].At.Equal(&begin) {
		*all = append(*all, odiv1.Answers{At: begin})
	}
	s := &(*all)[len(*all)-1]
	for _, i := range w.live() {
		p := w.pods[i]
		if !p.Ready {
			continue
		}
		for range perPod {
			fails := w.answers.rng.IntN(100) == 0
			if len(p.Agents) == 0 {
				s.Plain++
				s.PlainFailed += count(fails)
				continue
			}
			s.Agent++
			s.AgentFailed += count(fails || w.illness == errs && w.answers.rng.IntN(10) > 0)
		}
	}
	if len(*all) > 13 {
		*all = (*all)[1:]
	}
}

func count(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// told is what odiglets tell a second after a slice is over, while the plan says so, and what is remembered of it.
func (a *answersOfWorld) told(now time.Time, plan *odiv1.RolloutPlan) Answers {
	if plan == nil || !now.Before(plan.WatchUntil.Time) {
		return Answers{Before: a.before}
	}
	told := Answers{}
	plain := odiv1.Answers{}
	for _, s := range a.slices {
		if now.Sub(s.At.Time) < 6*time.Second {
			continue
		}
		told.Slices = append(told.Slices, s)
		if s.Agent == 0 {
			plain.Plain, plain.PlainFailed = plain.Plain+s.Plain, plain.PlainFailed+s.PlainFailed
		}
	}
	if plain.Plain >= leastAnswers {
		a.before = &plain
	}
	told.Before = a.before
	return told
}
