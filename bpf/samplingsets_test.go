package bpf

import (
	"fmt"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestSetsOfRulesMakeRoom: those without a target give way once they are old; those in use never do.
func TestSetsOfRulesMakeRoom(t *testing.T) {
	testkit.NeedRoot(t)
	spec, err := newKit(0)
	if err != nil {
		t.Fatal(err)
	}
	maps := map[string]*ebpf.Map{}
	for name, most := range map[string]uint32{"sampling_rules": 2, "targets": 8} {
		of := spec.Maps[name].Copy()
		of.MaxEntries = most
		if maps[name], err = ebpf.NewMap(of); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = maps[name].Close() })
	}
	var sets ruleSets
	number := func(i int) (uint16, error) {
		s, err := probe.SampleRatio(1).WithRules([]probe.Rule{{Path: fmt.Sprintf("/%d", i), Ratio: "0"}})
		if err != nil {
			t.Fatal(err)
		}
		return sets.number(maps, s.Rules())
	}
	first, err := number(1)
	if err != nil || first == 0 {
		t.Fatal(first, err)
	}
	if again, err := number(1); err != nil || again != first {
		t.Errorf("the same set is %d and %d, %v", first, again, err)
	}
	second, err := number(2)
	if err != nil || second == first {
		t.Fatal(second, err)
	}
	if _, err := number(3); err == nil {
		t.Error("sets that were just given have made room")
	}
	if err := maps["targets"].Put(uint32(1), &targetValue{Rules: first}); err != nil {
		t.Fatal(err)
	}
	for rules, s := range sets.sets {
		sets.sets[rules] = ruleSet{s.number, time.Now().Add(-ruleSetKept)}
	}
	third, err := number(3)
	if err != nil || third == first || third == 0 {
		t.Errorf("%d, %v", third, err)
	}
	if again, err := number(1); err != nil || again != first {
		t.Errorf("a set in use was %d and is %d, %v", first, again, err)
	}
	if none, err := sets.number(maps, ""); none != 0 || err != nil {
		t.Errorf("no rules: %d, %v", none, err)
	}
}
