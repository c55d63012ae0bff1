package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// comparisons are from the least that is known of an error rate to the most.
var comparisons = []odiv1.Comparison{odiv1.ComparisonNoneSeen, odiv1.ComparisonTooFew, odiv1.ComparisonMade}

// errorRates is what is known of each container with an agent: what was known once of the same agents stays known,
// while the answers themselves are told of a minute only.
func errorRates(now time.Time, o Observed) []odiv1.ErrorRate {
	since, has := o.carriersSince(now)
	known := map[string]odiv1.Comparison{}
	if o.Plan != nil && o.Plan.Revision == o.Revision {
		for _, e := range o.Status.ErrorRates {
			known[e.Container] = e.Comparison
		}
	}
	var all []odiv1.ErrorRate
	for _, container := range slices.Sorted(maps.Keys(o.Wanted)) {
		if has {
			known[container] = more(known[container], comparison(o.Answers[container], since))
		}
		if known[container] != "" {
			all = append(all, odiv1.ErrorRate{Container: container, Comparison: known[container]})
		}
	}
	return all
}

// more is which of two says more; empty says nothing.
func more(a, b odiv1.Comparison) odiv1.Comparison {
	return slices.MaxFunc([]odiv1.Comparison{a, b}, func(a, b odiv1.Comparison) int {
		return slices.Index(comparisons, a) - slices.Index(comparisons, b)
	})
}

// comparison is what can be said of a container's answers, as errorTrouble looks at them.
func comparison(a Answers, since time.Time) odiv1.Comparison {
	with, without := compared(a.Slices, since)
	if a.Before != nil && without.all < leastAnswers {
		without.all = a.Before.Plain
	}
	switch {
	case with.all >= leastAnswers && without.all >= leastAnswers:
		return odiv1.ComparisonMade
	case slices.ContainsFunc(a.Slices, func(s odiv1.Answers) bool { return s.Agent > 0 && !s.At.Time.Before(since) }):
		return odiv1.ComparisonTooFew
	}
	return odiv1.ComparisonNoneSeen
}

// uncompared says for users which error rates nobody judged, and why; empty where all were.
func uncompared(all []odiv1.ErrorRate) string {
	why := map[odiv1.Comparison]string{
		odiv1.ComparisonTooFew:   fmt.Sprintf("fewer than %d answers in a minute were seen, with the agent or without", leastAnswers),
		odiv1.ComparisonNoneSeen: "no answer was seen; what is served by TLS in the process or by HTTP/2 is not",
	}
	text := ""
	for _, c := range []odiv1.Comparison{odiv1.ComparisonTooFew, odiv1.ComparisonNoneSeen} {
		var containers []string
		for _, e := range all {
			if e.Comparison == c {
				containers = append(containers, e.Container)
			}
		}
		if len(containers) > 0 {
			text += fmt.Sprintf(" The error rate of %s was not judged: %s.", strings.Join(containers, ", "), why[c])
		}
	}
	return text
}
