package signal

import (
	"testing"
	"unsafe"
)

// TestMemoryIsUsedAgainWhenNobodyHoldsIt: not before, and not for what it is much too large for, as queues
// count what batches say and not what they lie in.
func TestMemoryIsUsedAgainWhenNobodyHoldsIt(t *testing.T) {
	var p Pool
	place := func(m *Memory) *byte { return unsafe.SliceData(m.Empty()) }
	for range 1000 { // the pool may lose what it is given
		held := p.Get(100_000)
		held.Hold()
		held.Release()
		other := p.Get(100_000)
		if place(other) == place(held) {
			t.Fatal("memory was given to two at once")
		}
		other.Release()
		held.Release()
	}
	large := p.Get(1 << 20)
	large.Release()
	for range 100 {
		if small := p.Get(1000); cap(small.Empty()) > 1250 {
			t.Fatalf("1,000 bytes lie in %d", cap(small.Empty()))
		}
	}
	var none *Memory
	none.Hold()
	none.Release() // never used again, and no panic
}

func TestWithout(t *testing.T) {
	a, b := Owner{Name: "a"}, Owner{Namespace: "x", Name: "a"}
	batch := Batch{Signal: Traces, Body: []byte("AABBBC"), Items: 6, Memory: new(Pool).Get(6), Parts: []Part{{a, 2, 1}, {b, 3, 2}, {a, 1, 3}}}
	rest, out := batch.Without(a)
	if string(rest.Body) != "BBB" || rest.Items != 2 || rest.Memory != nil || len(rest.Parts) != 1 || len(out) != 2 {
		t.Errorf("without a there is %q of %d items, out came %v", rest.Body, rest.Items, out)
	}
	if rest, out := batch.Without(Owner{}); out != nil || string(rest.Body) != "AABBBC" {
		t.Errorf("without nobody there is %q, out came %v", rest.Body, out)
	}
	if string(batch.Body) != "AABBBC" {
		t.Errorf("the batch has become %q", batch.Body)
	}
}
