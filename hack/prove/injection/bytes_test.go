package injection

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/instrumentor"
)

// TestInjectionHarmsNoBytes is the proof without an API server: pods as they are written, with fields that none knows.
func TestInjectionHarmsNoBytes(t *testing.T) {
	s := &stage{iw: &odiv1.InstrumentedWorkload{}}
	s.iw.Spec.Workload = odiv1.WorkloadReference{Kind: odiv1.KindDeployment, Name: "cart"}
	for name, language := range agents {
		s.iw.Spec.Containers = append(s.iw.Spec.Containers, odiv1.ContainerDecision{Name: name, Method: odiv1.MethodAgent, Agent: odiv1.AgentReference{
			Language: language, Version: "1.0.0-odi.1", Image: instrumentor.Image("registry.test", language, "1.0.0-odi.1"),
		}})
		s.iw.Status.Containers = append(s.iw.Status.Containers, odiv1.ContainerStatus{
			Name: name, Runtime: odiv1.Runtime{Version: "17.0.1", Libc: "glibc"}, Start: odiv1.StartFacts{Environment: hidden[name]},
		})
	}
	g, count := &generator{Rand: rand.New(rand.NewPCG(*seed, 1))}, tally{}
	all := realistic([]any{})
	for i := range 3000 {
		all = append(all, g.pod(i, []any{}))
	}
	for _, pod := range all {
		raw, err := json.Marshal(pod)
		if err != nil {
			t.Fatal(err)
		}
		s.tryRaw(t, raw, &count)
	}
	t.Logf("seed %d: %d pods, %d with undocumented changes, %d changed again", *seed, len(all), count.undocumented.Load(), count.again.Load())
}
