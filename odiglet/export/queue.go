package export

import (
	"slices"
	"sync"

	"github.com/odi-dev/odi/odiglet/signal"
)

// queue is the batches that wait for a sender, and those on their way, within a bound of
// bytes. What it has no room for is taken from the workload that has most waiting, its
// latest first: who makes more than the receiver takes loses what is too much, and one that
// makes less than its share nothing. It may be used by several goroutines.
type queue struct {
	bound int64

	mu      sync.Mutex
	more    sync.Cond
	waiting []signal.Batch
	bytes   int64                  // of what waits and of what is on its way
	held    map[signal.Owner]int64 // of what waits
	closed  bool
}

// besides is what a batch takes beside its body: without a bound small ones would take more than large ones.
const besides = 256

func size(b signal.Batch) int64 { return int64(len(b.Body)) + besides }

func newQueue(bound int64) *queue {
	q := &queue{bound: bound, held: make(map[signal.Owner]int64)}
	q.more.L = &q.mu
	return q
}

// put adds a batch and returns what had to go for it, which may be of the batch itself.
func (q *queue) put(b signal.Batch) (dropped []signal.Part) {
	if b.Parts == nil {
		b.Parts = []signal.Part{{Bytes: len(b.Body), Items: b.Items}}
	}
	b.Memory.Hold()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, b)
	q.bytes += size(b)
	for _, p := range b.Parts {
		q.held[p.Owner] += int64(p.Bytes)
	}
	for q.bytes > q.bound && len(q.waiting) > 0 {
		dropped = append(dropped, q.drop(q.greediest())...)
	}
	q.more.Signal()
	return dropped
}

// greediest is who has most waiting; q.mu is held.
func (q *queue) greediest() (owner signal.Owner) {
	most := int64(-1)
	for o, n := range q.held {
		if n > most {
			owner, most = o, n
		}
	}
	return owner
}

// drop takes out the latest that an owner has waiting; q.mu is held.
func (q *queue) drop(owner signal.Owner) []signal.Part {
	for i := len(q.waiting) - 1; i >= 0; i-- {
		b := q.waiting[i]
		rest, out := b.Without(owner)
		if out == nil {
			continue
		}
		q.bytes -= size(b)
		if rest.Items > 0 {
			q.waiting[i] = rest
			q.bytes += size(rest)
		} else {
			q.waiting = slices.Delete(q.waiting, i, i+1)
		}
		b.Memory.Release()
		q.leave(out)
		return out
	}
	delete(q.held, owner) // has nothing; no sum says otherwise
	return nil
}

// leave takes parts out of what waits; q.mu is held.
func (q *queue) leave(parts []signal.Part) {
	for _, p := range parts {
		if q.held[p.Owner] -= int64(p.Bytes); q.held[p.Owner] == 0 {
			delete(q.held, p.Owner)
		}
	}
}

// next waits for a batch, which is on its way until done; false when there will be none.
func (q *queue) next() (b signal.Batch, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 {
		if q.closed {
			return b, false
		}
		q.more.Wait()
	}
	b = q.waiting[0]
	q.waiting[0] = signal.Batch{} // the slice goes on
	q.waiting = q.waiting[1:]
	q.leave(b.Parts)
	return b, true
}

// done gives back the room of a batch.
func (q *queue) done(b signal.Batch) {
	b.Memory.Release()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes -= size(b)
}

// close ends the queue: what waits is still handed out.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.more.Broadcast()
}
