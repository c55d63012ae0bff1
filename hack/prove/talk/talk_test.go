package talk

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/odi-dev/odi/hack/prove/script"
)

// TestBothSidesFit: what one side sends is what the other expects, each request has
// its marks and its want, and the same number makes the same conversation.
func TestBothSidesFit(t *testing.T) {
	for seed := range uint64(120) {
		c := New(seed, "x")
		client, server := c.Render(3)
		if string(client.Out) != string(server.In) || string(server.Out) != string(client.In) {
			t.Fatalf("seed %d: the sides do not fit", seed)
		}
		if n := len(c.Wants()); len(client.Begins) != n || len(client.Finishes) != n || len(server.Begins) != n || len(server.Finishes) != n {
			t.Fatalf("seed %d: %d requests, marks %d %d %d %d", seed, n, len(client.Begins), len(client.Finishes), len(server.Begins), len(server.Finishes))
		}
		for _, side := range []*script.Side{client, server} {
			sent := uint32(0)
			for _, op := range side.Ops {
				sum := uint32(0)
				for _, n := range op.Sizes {
					sum += n
				}
				if op.Kind == script.Send {
					sent += op.N
					if sum != op.N {
						t.Fatalf("seed %d: a step of %d bytes has pieces of %d", seed, op.N, sum)
					}
				}
			}
			if sent != uint32(len(side.Out)) {
				t.Fatalf("seed %d: %d of %d bytes are sent", seed, sent, len(side.Out))
			}
		}
		if again := New(seed, "x"); !reflect.DeepEqual(again, c) {
			t.Fatalf("seed %d: another conversation", seed)
		}
	}
}

func TestShrink(t *testing.T) {
	for seed := range uint64(20) {
		c := New(seed, "x")
		fails := func(c Conversation) bool {
			c.Render(0) // every smaller one can be played
			for _, r := range c.Rounds {
				for _, x := range r.Exchanges {
					if x.Answer.Body.Size > 0 {
						return true
					}
				}
			}
			return false
		}
		if !fails(c) {
			continue
		}
		small := Shrink(c, 2000, fails)
		if n := len(small.Wants()); n > 2 || !fails(small) {
			t.Errorf("seed %d: %d requests are left: %s", seed, n, fmt.Sprint(small))
		}
	}
}
