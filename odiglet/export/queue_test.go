package export

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/odi-dev/odi/odiglet/signal"
)

// TestQueueGivesEveryoneAShare puts batches of three workloads into a queue that is never emptied, in random order
// and size: one that makes less than a third of the room loses nothing, whatever the others do, and no byte and
// no item is lost from sight.
func TestQueueGivesEveryoneAShare(t *testing.T) {
	owner := func(name string) signal.Owner { return signal.Owner{Name: name} }
	random := rand.New(rand.NewPCG(3, 9))
	for range 50 {
		const bound = 100_000
		q := newQueue(bound)
		made, lost := map[signal.Owner]int{}, map[signal.Owner]int{}
		for range 400 {
			b := signal.Batch{Signal: signal.Traces}
			for _, o := range []struct {
				name string
				most int
			}{{"large", 5000}, {"larger", 10_000}, {"small", 60}} {
				if random.IntN(2) == 0 {
					continue
				}
				n := 1 + random.IntN(o.most)
				b.Parts = append(b.Parts, signal.Part{Owner: owner(o.name), Bytes: n, Items: n})
				b.Body = append(b.Body, strings.Repeat(o.name[:1], n)...)
				b.Items += n
				made[owner(o.name)] += n
			}
			if b.Items == 0 {
				continue
			}
			for _, p := range q.put(b) {
				lost[p.Owner] += p.Items
			}
			if q.bytes > bound {
				t.Fatalf("the queue holds %d bytes", q.bytes)
			}
		}
		if lost[owner("small")] > 0 || lost[owner("large")] == 0 || lost[owner("larger")] == 0 {
			t.Fatalf("lost were %v of %v", lost, made)
		}
		q.close()
		for b, ok := q.next(); ok; b, ok = q.next() {
			at := 0
			for _, p := range b.Parts {
				if strings.Trim(string(b.Body[at:at+p.Bytes]), p.Owner.Name[:1]) != "" {
					t.Fatal("a part has bytes of another")
				}
				at += p.Bytes
				made[p.Owner] -= p.Items
			}
			q.done(b)
		}
		for o, n := range made {
			if n != lost[o] {
				t.Errorf("%s: %d items are missing, %d were lost", o.Name, n, lost[o])
			}
		}
		if q.bytes != 0 || len(q.held) != 0 {
			t.Errorf("the empty queue has %d bytes of %v", q.bytes, q.held)
		}
	}
}
