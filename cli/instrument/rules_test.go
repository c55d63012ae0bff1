package instrument

import (
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
)

// TestSamplingIsChangedInParts: a share leaves the rules, and rules replace those that are there.
func TestSamplingIsChangedInParts(t *testing.T) {
	scheme, err := cluster.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).Build()
	first := []odiv1.SamplingRule{{Path: "/healthz", Ratio: "0"}, {Path: "/metrics", Ratio: "0"}}
	second := []odiv1.SamplingRule{{Method: "POST", Path: "/orders/*", Ratio: "1"}}
	steps := []struct {
		says odiv1.Sampling
		want odiv1.Sampling
	}{
		{odiv1.Sampling{Rules: first}, odiv1.Sampling{Rules: first}},
		{odiv1.Sampling{Ratio: "0.1"}, odiv1.Sampling{Ratio: "0.1", Rules: first}},
		{odiv1.Sampling{}, odiv1.Sampling{Ratio: "0.1", Rules: first}},
		{odiv1.Sampling{Rules: second}, odiv1.Sampling{Ratio: "0.1", Rules: second}},
	}
	for i, step := range steps {
		config := &odiv1.InstrumentationConfig{Spec: odiv1.InstrumentationConfigSpec{Sampling: step.says}}
		config.Namespace, config.Name = "shop", "all"
		got, _, err := write(t.Context(), c, config)
		if err != nil {
			t.Fatal(err)
		}
		if got.Spec.Sampling.Ratio != step.want.Ratio || !slices.Equal(got.Spec.Sampling.Rules, step.want.Rules) {
			t.Errorf("step %d: %+v, want %+v", i, got.Spec.Sampling, step.want)
		}
	}
}
