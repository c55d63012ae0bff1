package describe

import (
	"testing"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestSamplingIsSaid(t *testing.T) {
	rules := []odiv1.SamplingRule{{Path: "/healthz", Ratio: "0"}, {Method: "POST", Path: "/orders/*", Ratio: "1"}}
	tests := map[string]struct {
		spec odiv1.InstrumentedWorkloadSpec
		want string
	}{
		"nothing was said": {},
		"a ratio":          {odiv1.InstrumentedWorkloadSpec{SamplingRatio: "0.1"}, "0.1 of the traces that begin here, by InstrumentationConfig all"},
		"rules alone": {odiv1.InstrumentedWorkloadSpec{SamplingRules: rules},
			"all of the traces that begin here, by InstrumentationConfig all; of those that a request of HTTP/1 begins, by the first that fits: /healthz=0, POST /orders/*=1"},
		"rules, and an agent": {odiv1.InstrumentedWorkloadSpec{SamplingRatio: "0.1", SamplingRules: rules[:1],
			Containers: []odiv1.ContainerDecision{{Name: "app", Method: odiv1.MethodAgent}, {Name: "side", Method: odiv1.MethodEBPF}}},
			"0.1 of the traces that begin here, by InstrumentationConfig all; of those that a request of HTTP/1 begins, by the first that fits: /healthz=0. " +
				"An agent knows no rules: container app goes by the share alone"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.spec.Config = "all"
			if got := samplingOf(&odiv1.InstrumentedWorkload{Spec: tc.spec}); got != tc.want {
				t.Errorf("got %q\nwant %q", got, tc.want)
			}
		})
	}
	if got := samplingOf(nil); got != "" {
		t.Errorf("of none: %q", got)
	}
}
