package sampling

import (
	"testing"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
)

func TestOf(t *testing.T) {
	rules := []odiv1.SamplingRule{{Method: "GET", Path: "/healthz", Ratio: "0"}}
	s, err := Of("0.5", rules)
	if err != nil || s.Rules() == "" || s.LeftOut() != probe.SampleRatio(0.5).LeftOut() {
		t.Errorf("%v, %v", s, err)
	}
	if again, err := Of("0.5", rules); err != nil || again != s {
		t.Error("the same words are not the same")
	}
	if other, err := Of("0.5", append(rules, odiv1.SamplingRule{Path: "/a", Ratio: "1"})); err != nil || other == s {
		t.Error("other rules are the same")
	}
	if s, err := Of("", nil); err != nil || s != (probe.Sampling{}) {
		t.Errorf("nothing said: %v, %v", s, err)
	}
	if s, err := Of("0.5", make([]odiv1.SamplingRule, 17)); err == nil || s != probe.SampleRatio(0.5) {
		t.Errorf("too many rules: %v, %v", s, err)
	}
	if s, err := Of("ten", rules); err == nil || s != (probe.Sampling{}) {
		t.Errorf("no ratio: %v, %v", s, err)
	}
}
