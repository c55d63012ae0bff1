package books

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBalance(t *testing.T) {
	b := New()
	b.Seen(10)
	b.Sent(4)
	b.Drop(ReasonIgnored, 3)
	b.Drop(ReasonQueueFull, 0)
	want := Balance{Seen: 15, Sent: 4, Queued: 3, Dropped: map[Reason]uint64{ReasonIgnored: 3, "ring_full": 5}}
	got := b.Balance(map[string]uint64{"ring_full": 5, "table_full": 0})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("balance (-want +got):\n%s", diff)
	}
	if got.Seen != got.Sent+got.Queued+got.DroppedTotal() {
		t.Errorf("the books do not close: %+v", got)
	}
	if diff := cmp.Diff([]Reason{ReasonIgnored, "ring_full"}, got.Reasons()); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}
