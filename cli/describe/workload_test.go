package describe

import (
	"bytes"
	"strings"
	"testing"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/chain"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
)

func TestPropagationThatIsOff(t *testing.T) {
	for propagation, want := range map[odiv1.Propagation]bool{"": false, odiv1.PropagationAuto: false, odiv1.PropagationNone: true} {
		iw := &odiv1.InstrumentedWorkload{Spec: odiv1.InstrumentedWorkloadSpec{Config: "all", Propagation: propagation}}
		answer := workloadAnswer{Workload: "deployment shop/cart", Steps: []chain.Step{{Name: "Selected"}}, Propagation: propagationOf(iw)}
		var out bytes.Buffer
		if err := answer.print(output.Out(streams.Streams{Out: &out}), output.FormatTable); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "propagation: off by InstrumentationConfig all: eBPF writes no traceparent"); got != want {
			t.Errorf("propagation %q: %s", propagation, out.String())
		}
	}
	if got := propagationOf(nil); got != "" {
		t.Errorf("of a workload that nobody selects: %s", got)
	}
}
