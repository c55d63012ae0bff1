package sampling

import (
	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
)

// Of returns what a ratio and the rules that go before it say. On an error it says as much of
// it as can be had: the ratio, or that every trace is recorded.
func Of(ratio string, rules []odiv1.SamplingRule) (probe.Sampling, error) {
	s, err := probe.ParseSampling(ratio)
	if err != nil {
		return s, err
	}
	told := make([]probe.Rule, 0, len(rules))
	for _, r := range rules {
		told = append(told, probe.Rule{Method: r.Method, Path: r.Path, Ratio: r.Ratio})
	}
	return s.WithRules(told)
}
