package bpf

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cilium/ebpf"
)

// ruleSets numbers the sets of sampling rules that targets have: those of a workload share one.
// The zero value is ready; it may be used by several goroutines.
type ruleSets struct {
	mu   sync.Mutex
	sets map[string]ruleSet // by what the programs are told
	last uint16
}

type ruleSet struct {
	number uint16 // of sampling_rules; never 0
	given  time.Time
}

// ruleSetKept is for how long a set is kept that no target has: the one that it was given for
// last is in the map by then.
const ruleSetKept = time.Minute

// number returns that of a set, and has the programs know it. 0 is no rules.
func (r *ruleSets) number(maps map[string]*ebpf.Map, rules string) (uint16, error) {
	if rules == "" {
		return 0, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.sets[rules]; ok {
		r.sets[rules] = ruleSet{known.number, time.Now()}
		return known.number, nil
	}
	if r.sets == nil {
		r.sets = map[string]ruleSet{}
	}
	room := maps["sampling_rules"]
	if len(r.sets) >= int(room.MaxEntries()) {
		r.forget(maps)
	}
	if len(r.sets) >= int(room.MaxEntries()) {
		return 0, fmt.Errorf("%d sets of sampling rules are in use, as many as there can be", len(r.sets))
	}
	number := r.free()
	if err := room.Put(uint32(number), []byte(rules)); err != nil {
		return 0, fmt.Errorf("telling of sampling rules: %w", err)
	}
	r.sets[rules] = ruleSet{number, time.Now()}
	return number, nil
}

// free returns a number that no set has; r.mu is held.
func (r *ruleSets) free() uint16 {
	used := map[uint16]bool{0: true}
	for _, s := range r.sets {
		used[s.number] = true
	}
	for r.last++; used[r.last]; r.last++ {
	}
	return r.last
}

// forget takes out the sets that no target has; r.mu is held. Children of targets have
// their parent's in the map before user space knows of them.
func (r *ruleSets) forget(maps map[string]*ebpf.Map) {
	used := map[uint16]bool{}
	var key uint32
	var value targetValue
	all := maps["targets"].Iterate()
	for all.Next(&key, &value) {
		used[value.Rules] = true
	}
	if all.Err() != nil {
		return // not all were seen
	}
	for rules, s := range r.sets {
		if used[s.number] || time.Since(s.given) < ruleSetKept {
			continue
		}
		if err := maps["sampling_rules"].Delete(uint32(s.number)); err == nil || errors.Is(err, ebpf.ErrKeyNotExist) {
			delete(r.sets, rules)
		}
	}
}
