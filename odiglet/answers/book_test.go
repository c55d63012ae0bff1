package answers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSlices(t *testing.T) {
	b := new(Book)
	begin := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return begin.Add(time.Duration(s * float64(time.Second))) }
	plain, agent := Desk{Book: b}, Desk{Book: b, HasAgent: true}
	Desk{}.Count(true, 1, at(1)) // nobody counts

	plain.Count(false, 1, at(0))
	plain.Count(true, 1, at(4.9))
	agent.Count(true, 1, at(5))
	agent.Count(false, 1, at(3)) // it ended before, and was told of late
	plain.Count(false, 1, at(61))
	want := []Slice{{At: at(0), Agent: 1, Plain: 2, PlainFailed: 1}, {At: at(5), Agent: 1, AgentFailed: 1}}
	if diff := cmp.Diff(want, b.Over(at(12))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := b.Over(at(4)); len(got) != 0 {
		t.Errorf("a slice that is not over is told of: %v", got)
	}
	want = []Slice{{At: at(5), Agent: 1, AgentFailed: 1}, {At: at(60), Plain: 1}}
	if diff := cmp.Diff(want, b.Over(at(65))); diff != "" {
		t.Errorf("a minute later (-want +got)\n%s", diff)
	}
	plain.Count(false, 1, at(66)) // in the place of the first slice
	plain.Count(true, 1, at(1))   // too late for it
	want = []Slice{{At: at(60), Plain: 1}, {At: at(65), Plain: 1}}
	if diff := cmp.Diff(want, b.Over(at(70))); diff != "" {
		t.Errorf("the first is forgotten (-want +got)\n%s", diff)
	}
}
