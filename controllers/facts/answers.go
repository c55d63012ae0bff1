package facts

import (
	"slices"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// recent is how much older than the newest answers others may be: an odiglet tells of the last minute, and one
// that tells of another is not there any more.
const recent = 75 * time.Second

// mergeAnswers adds up what nodes tell of the same five seconds, the oldest first.
func mergeAnswers(a, b []odiv1.Answers) []odiv1.Answers {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(x, y odiv1.Answers) int { return x.At.Compare(y.At.Time) })
	var merged []odiv1.Answers
	for _, s := range all {
		if last := len(merged) - 1; last >= 0 && merged[last].At.Equal(&s.At) {
			merged[last] = sum(merged[last], s)
			continue
		}
		merged = append(merged, s)
	}
	return slices.DeleteFunc(merged, func(s odiv1.Answers) bool {
		return merged[len(merged)-1].At.Sub(s.At.Time) > recent
	})
}

// sum is at the later of two times.
func sum(a, b odiv1.Answers) odiv1.Answers {
	at := a.At
	if at.Before(&b.At) {
		at = b.At
	}
	return odiv1.Answers{
		At: at, Agent: a.Agent + b.Agent, AgentFailed: a.AgentFailed + b.AgentFailed,
		Plain: a.Plain + b.Plain, PlainFailed: a.PlainFailed + b.PlainFailed,
	}
}

// enoughAnswers are worth to be remembered; fewer are not what controllers/rollout goes by.
const enoughAnswers = 20

// keepBefore remembers what containers answered without agents while none had one: where every pod gets its agent,
// nothing else is left to compare with.
func keepBefore(now, before []odiv1.ContainerStatus, decisions []odiv1.ContainerDecision) {
	for i := range now {
		if !wantsAgent(decisions, now[i].Name) {
			continue
		}
		plain := odiv1.Answers{}
		for _, s := range now[i].Answers {
			if s.Agent == 0 {
				plain = sum(plain, s)
			}
		}
		if plain.Plain >= enoughAnswers {
			now[i].Before = &plain
			continue
		}
		for _, b := range before {
			if b.Name == now[i].Name {
				now[i].Before = b.Before
			}
		}
	}
}

func wantsAgent(decisions []odiv1.ContainerDecision, container string) bool {
	return slices.ContainsFunc(decisions, func(d odiv1.ContainerDecision) bool {
		return d.Name == container && d.Method == odiv1.MethodAgent
	})
}
