package rollout

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// sliced are answers of slices that follow each other, the last of which ended a second ago.
func sliced(each ...[4]int64) []odiv1.Answers {
	var all []odiv1.Answers
	for i, n := range each {
		at := noon.Add(-time.Second - time.Duration(len(each)-i)*5*time.Second)
		all = append(all, odiv1.Answers{At: metav1.NewTime(at), Agent: n[0], AgentFailed: n[1], Plain: n[2], PlainFailed: n[3]})
	}
	return all
}

func TestErrorRate(t *testing.T) {
	old := func(all, failed int64) *odiv1.Answers { return &odiv1.Answers{Plain: all, PlainFailed: failed} }
	const rolledBack, nothing = "RollBack AgentErrorRate", "Soak Soaking"
	for name, tc := range map[string]struct {
		answers Answers
		age     time.Duration
		agent   string
		want    string
		words   string
	}{
		"nobody tells":   {want: nothing},
		"none fails":     {answers: Answers{Slices: sliced([4]int64{9, 0, 90, 0}, [4]int64{40, 0, 90, 0})}, want: nothing},
		"all fail":       {answers: Answers{Slices: sliced([4]int64{9, 9, 90, 0}, [4]int64{20, 20, 90, 0})}, want: rolledBack, words: "Pods with the agent answered 20 of 20 (100 %) requests with a server error, those without it 0 of 90 (0 %) in the same time."},
		"too few":        {answers: Answers{Slices: sliced([4]int64{9, 9, 90, 0}, [4]int64{19, 19, 90, 0})}, want: nothing},
		"the first does": {answers: Answers{Slices: sliced([4]int64{90, 90, 90, 0})}, want: nothing},
		"a tenth fails":  {answers: Answers{Slices: sliced([4]int64{9, 0, 90, 0}, [4]int64{80, 8, 160, 0}, [4]int64{80, 8, 160, 0})}, want: rolledBack},
		"which may be chance where few were answered": {answers: Answers{Slices: sliced([4]int64{9, 0, 90, 0}, [4]int64{20, 2, 40, 0}, [4]int64{20, 2, 40, 0})}, want: nothing},
		"less than 5 points more":                     {answers: Answers{Slices: sliced([4]int64{9, 0, 90, 0}, [4]int64{10000, 490, 10000, 0})}, want: nothing},
		"less than twice as many":                     {answers: Answers{Slices: sliced([4]int64{9, 0, 90, 0}, [4]int64{10000, 3900, 10000, 2000})}, want: nothing},
		"twice as many":                               {answers: Answers{Slices: sliced([4]int64{9, 0, 90, 0}, [4]int64{10000, 4000, 10000, 2000})}, want: rolledBack, words: "Pods with the agent answered 4000 of 10000 (40 %) requests with a server error, those without it 2000 of 10000 (20 %) in the same time."},
		"both fail at the same time":                  {answers: Answers{Slices: sliced([4]int64{0, 0, 900, 0}, [4]int64{0, 0, 900, 0}, [4]int64{20, 20, 90, 60}, [4]int64{50, 50, 90, 88})}, want: nothing},
		"what failed in a gap is not compared":        {answers: Answers{Slices: sliced([4]int64{9, 0, 90, 0}, [4]int64{0, 0, 90, 0}, [4]int64{50, 50, 90, 88})}, want: nothing},
		"before its pods were made":                   {answers: Answers{Slices: sliced([4]int64{9, 9, 90, 0}, [4]int64{99, 99, 90, 0})}, age: 5 * time.Second, want: nothing},
		"no other pods, and none before":              {answers: Answers{Slices: sliced([4]int64{9, 9, 0, 0}, [4]int64{99, 99, 0, 0})}, want: nothing},
		"no other pods, but before":                   {answers: Answers{Slices: sliced([4]int64{9, 9, 0, 0}, [4]int64{99, 60, 0, 0}), Before: old(100, 2)}, want: rolledBack, words: "Pods with the agent answered 60 of 99 (61 %) requests with a server error, before they had it 2 of 100 (2.0 %)."},
		"which needs 50 points more":                  {answers: Answers{Slices: sliced([4]int64{9, 9, 0, 0}, [4]int64{99, 50, 0, 0}), Before: old(100, 2)}, want: nothing},
		"other pods count more than before":           {answers: Answers{Slices: sliced([4]int64{9, 9, 9, 9}, [4]int64{99, 90, 50, 45}), Before: old(100, 2)}, want: nothing},
		"an older agent":                              {answers: Answers{Slices: sliced([4]int64{9, 9, 90, 0}, [4]int64{50, 50, 90, 0})}, agent: "0", want: nothing},
		"of another time":                             {answers: Answers{Slices: []odiv1.Answers{{At: metav1.NewTime(noon.Add(-4 * time.Minute)), Agent: 1}, {At: metav1.NewTime(noon.Add(-3 * time.Minute)), Agent: 99, AgentFailed: 99, Plain: 99}}}, age: 5 * time.Minute, want: "RollOut RollingOut"},
	} {
		t.Run(name, func(t *testing.T) {
			age := tc.age
			if age == 0 {
				age = 58 * time.Second
			}
			o := withCanary(age, func(p *Pod) {
				if tc.agent != "" {
					p.Agents = java(tc.agent)
				}
			})
			o.Answers = map[string]Answers{"app": tc.answers}
			s := Plan(noon, o)
			got := fmt.Sprint(s.Kind, " ", s.Reason)
			if got != tc.want && fmt.Sprint(s.Kind, " ", s.Phase) != tc.want {
				t.Errorf("got %s (%s), want %s", got, s.Message, tc.want)
			}
			if tc.words != "" && s.Message != tc.words {
				t.Errorf("it says %q, want %q", s.Message, tc.words)
			}
		})
	}
}

// TestErrorRateWatchesEveryYoungPod has the rest, and those that somebody else makes anew, not the canary alone.
func TestErrorRateWatchesEveryYoungPod(t *testing.T) {
	bad := map[string]Answers{"app": {Slices: sliced([4]int64{9, 9, 90, 0}, [4]int64{50, 50, 90, 0})}}
	o := threePods().since(odiv1.RolloutStageAll, odiv1.PhaseRollingOut, time.Minute)
	o.Answers, o.Pods[0] = bad, ago("d", time.Minute, java("1"))
	if s := Plan(noon, o); s.Kind != RollBack || s.Trouble.Container != "app" {
		t.Errorf("one of the rest: %+v", s)
	}
	o.Pods[0] = ago("d", 11*time.Minute, java("1"))
	if s := Plan(noon, o); s.Kind == RollBack {
		t.Errorf("after hours it is not the agent's: %+v", s)
	}
	o.Mode, o.Pods[0] = odiv1.RolloutManual, ago("d", time.Minute, java("1"))
	if s := Plan(noon, o); s.Kind != RollBack {
		t.Errorf("manual: %+v", s)
	}
}

// TestPodsThatAreAlikeAreNotToldApart draws requests that fail alike with the agent and without.
func TestPodsThatAreAlikeAreNotToldApart(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	draw := func(n int64, share float64) (failed int64) {
		for range n {
			failed += count(random.Float64() < share)
		}
		return failed
	}
	const rounds = 60_000
	for i := range rounds {
		with, without := leastAnswers+random.Int64N(200), leastAnswers+random.Int64N(400)
		share := []float64{0.001, 0.01, 0.03, 0.1, 0.3, 0.6}[i%6]
		a, b := answered{with, draw(with, share)}, answered{without, draw(without, share)}
		if a.worseThan(b, worseBy) {
			t.Errorf("%s is taken to be worse than %s, though both fail at %g", a, b, share)
		}
	}
	found := 0
	for range 1000 { // A tenth more is found in what three pods answer in ten seconds at 50 requests a second.
		if (answered{160, draw(160, 0.11)}).worseThan(answered{330, draw(330, 0.01)}, worseBy) {
			found++
		}
	}
	t.Logf("of %d alike none is worse; of 1000 that fail at 11 %% instead of 1 %%, %d are found", rounds, found)
	if found < 500 {
		t.Errorf("only %d are found", found)
	}
}

func TestReadyWithin(t *testing.T) {
	for name, tc := range map[string]struct {
		usual, added, allowed int
		want                  int
	}{
		"a quick start":                   {usual: 2, added: 1, want: 45},
		"nobody has seen one":             {added: 1, want: 45},
		"a slow one":                      {usual: 60, added: 16, want: 166},
		"with a CPU limit":                {usual: 10, added: 64, want: 114},
		"a probe allows more than is use": {usual: 2, added: 1, allowed: 300, want: 45},
		"what the probe allows counts where nobody has seen one": {added: 1, allowed: 120, want: 130},
		"at most": {usual: 900, want: 600},
	} {
		got := readyWithin(time.Duration(tc.usual)*time.Second, time.Duration(tc.added)*time.Second, time.Duration(tc.allowed)*time.Second)
		if got != time.Duration(tc.want)*time.Second {
			t.Errorf("%s: %s, want %d s", name, got, tc.want)
		}
	}
	o := Observed{Status: odiv1.RolloutStatus{UsualStart: 40}}
	if got := o.usualStart(); got != 40*time.Second {
		t.Errorf("the usual start of a pod that went is %s", got)
	}
	o.Pods = []Pod{{Ready: true, Created: noon, ReadySince: noon.Add(7 * time.Second)}}
	if got := record(noon, o, Step{Kind: Wait}).Status.UsualStart; got != 7 {
		t.Errorf("%d s are recorded", got)
	}
}
