package odiglet

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf"
)

func TestFreshLosses(t *testing.T) {
	a, b := bpf.Loser{PID: 1, Reason: "unparsable"}, bpf.Loser{PID: 2, Reason: "pipelined"}
	var l namedLosses
	for i, step := range []struct{ now, want map[bpf.Loser]uint64 }{
		{map[bpf.Loser]uint64{a: 3}, map[bpf.Loser]uint64{a: 3}},
		{map[bpf.Loser]uint64{a: 3, b: 2}, map[bpf.Loser]uint64{b: 2}},
		{map[bpf.Loser]uint64{b: 7}, map[bpf.Loser]uint64{b: 5}},
		{map[bpf.Loser]uint64{a: 1, b: 4}, map[bpf.Loser]uint64{a: 1, b: 4}}, // both began again
	} {
		if diff := cmp.Diff(step.want, l.fresh(step.now)); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
}
