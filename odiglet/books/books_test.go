package books

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/loss"
)

func TestBalance(t *testing.T) {
	b := New()
	b.Seen(10)
	b.Sent(4)
	b.Drop(loss.IgnoredPath, 3)
	b.Drop(loss.QueueFull, 0)
	want := Balance{Seen: 15, Sent: 4, Queued: 3, Dropped: map[loss.Name]uint64{loss.IgnoredPath: 3, "ring_full": 5}}
	got := b.Balance(map[string]uint64{"ring_full": 5, "table_full": 0})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("balance (-want +got):\n%s", diff)
	}
	if got.Seen != got.Sent+got.Queued+got.DroppedTotal() {
		t.Errorf("the books do not close: %+v", got)
	}
	if diff := cmp.Diff([]loss.Name{loss.IgnoredPath, "ring_full"}, got.Reasons()); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func TestWhose(t *testing.T) {
	b := New()
	for i := range 3 * maxNamed {
		b.DropOf(fmt.Sprint("cart-", i), loss.Detached, 1)
	}
	b.DropOf("cart-0", loss.Detached, 1)
	names := b.Whose(loss.Detached)
	if len(names) != maxNamed || names["cart-0"] != 2 || b.Balance(nil).Dropped[loss.Detached] != 3*maxNamed+1 {
		t.Errorf("%d names, %v", len(names), names)
	}
	b.Name("cart", "unparsable", 4)
	if n := b.Whose("unparsable")["cart"]; n != 4 || b.Balance(nil).Dropped["unparsable"] != 0 {
		t.Errorf("%d named, want 4, and none dropped here", n)
	}
	if len(b.Whose(loss.Shutdown)) != 0 {
		t.Error("names, where nothing was dropped")
	}
}
