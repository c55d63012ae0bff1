package bpf_test

import (
	"fmt"
	"testing"
)

// TestPoolThatGrowsInsideRequests asks a fresh Go program many times at once
// from its first request on: its workers are started by one request and take
// the work of another, so hardly any parent is certain, and none may be wrong.
func TestPoolThatGrowsInsideRequests(t *testing.T) {
	needRoot(t)
	for round := range 5 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			base, pids := chain(t, "pool", "direct")
			r := record(t, pids...)
			storm(t, base, "m", 600, 50)
			judge(t, r.waitFor(3*600))
		})
	}
}
