package rollout

import (
	"strings"
	"testing"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// TestItIsSaidWhichErrorRatesWereNotJudged has every pod with its agent.
func TestItIsSaidWhichErrorRatesWereNotJudged(t *testing.T) {
	enough := sliced([4]int64{9, 0, 90, 0}, [4]int64{20, 0, 20, 0})
	const few, none = "The error rate of app was not judged: fewer than 20 answers", "The error rate of app was not judged: no answer was seen"
	for name, tc := range map[string]struct {
		answers Answers
		known   odiv1.Comparison
		age     time.Duration
		want    odiv1.Comparison
		words   string
	}{
		"nothing was seen":                  {want: odiv1.ComparisonNoneSeen, words: none},
		"only those without the agent were": {answers: Answers{Slices: sliced([4]int64{0, 0, 90, 0})}, want: odiv1.ComparisonNoneSeen, words: none},
		"few were answered with it":         {answers: Answers{Slices: sliced([4]int64{9, 0, 90, 0}, [4]int64{19, 0, 90, 0})}, want: odiv1.ComparisonTooFew, words: few},
		"few were answered without it":      {answers: Answers{Slices: sliced([4]int64{9, 0, 9, 0}, [4]int64{90, 0, 19, 0})}, want: odiv1.ComparisonTooFew, words: few},
		"enough in the same time":           {answers: Answers{Slices: enough}, want: odiv1.ComparisonMade},
		"enough in the minute before":       {answers: Answers{Slices: sliced([4]int64{9, 0, 0, 0}, [4]int64{20, 0, 0, 0}), Before: &odiv1.Answers{Plain: 20}}, want: odiv1.ComparisonMade},
		"it was judged before":              {known: odiv1.ComparisonMade, want: odiv1.ComparisonMade},
		"which nobody watches any more":     {known: odiv1.ComparisonTooFew, age: time.Hour, answers: Answers{Slices: enough}, want: odiv1.ComparisonTooFew, words: few},
		"nobody has watched":                {age: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			age := tc.age
			if age == 0 {
				age = time.Minute
			}
			o := withCanary(age, nil).since(odiv1.RolloutStageAll, odiv1.PhaseDone, time.Minute)
			o.Pods = o.Pods[len(o.Pods)-1:]
			o.Pace.Desired = 1
			o.Answers = map[string]Answers{"app": tc.answers}
			if tc.known != "" {
				o.Status.ErrorRates = []odiv1.ErrorRate{{Container: "app", Comparison: tc.known}}
			}
			r := record(noon, o, Plan(noon, o))
			got := odiv1.Comparison("")
			if len(r.Status.ErrorRates) > 0 {
				got = r.Status.ErrorRates[0].Comparison
			}
			if got != tc.want {
				t.Errorf("it is %q, want %q", got, tc.want)
			}
			message, all := r.Condition.Message, "Every pod has its agents."
			if rest, ok := strings.CutPrefix(message, all); !ok || tc.words == "" && rest != "" || !strings.Contains(rest, tc.words) {
				t.Errorf("it says %q, want %q and %q", message, all, tc.words)
			}
		})
	}
}
