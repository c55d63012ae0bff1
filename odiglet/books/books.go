package books

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/odi-dev/odi/internal/loss"
)

// maxNamed bounds the names that are kept of each reason.
const maxNamed = 20

// Books is the account of one odiglet. It may be used by several goroutines.
type Books struct {
	seen    atomic.Uint64 // apart from the rest: it is counted for every request
	mu      sync.Mutex
	sent    uint64
	dropped map[loss.Name]uint64
	whose   map[loss.Name]map[string]uint64
}

// New returns empty books.
func New() *Books {
	return &Books{dropped: make(map[loss.Name]uint64), whose: make(map[loss.Name]map[string]uint64)}
}

// Seen adds n requests that ended in the kernel.
func (b *Books) Seen(n int) { b.seen.Add(uint64(n)) }

// Sent adds n spans that the receiver took.
func (b *Books) Sent(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent += uint64(n)
}

// Drop adds n requests that were seen and give no span.
func (b *Books) Drop(why loss.Name, n int) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped[why] += uint64(n)
}

// DropOf is Drop, and remembers whose they were. Beyond a bound, names are not kept.
func (b *Books) DropOf(whose string, why loss.Name, n uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped[why] += n
	b.name(whose, why, n)
}

// Name says whose n requests were that another counts: the kernel. Beyond a bound,
// names are not kept.
func (b *Books) Name(whose string, why loss.Name, n uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.name(whose, why, n)
}

// name is Name for one who holds the lock.
func (b *Books) name(whose string, why loss.Name, n uint64) {
	names, ok := b.whose[why]
	if !ok {
		names = make(map[string]uint64)
		b.whose[why] = names
	}
	if _, ok := names[whose]; ok || len(names) < maxNamed {
		names[whose] += n
	}
}

// Whose returns how many requests of whom were dropped for a reason, as far as it is known.
func (b *Books) Whose(why loss.Name) map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.whose[why])
}

// Balance is the state of the books at one moment.
type Balance struct {
	Seen    uint64               `json:"seen"`
	Sent    uint64               `json:"sent"`
	Queued  uint64               `json:"queued"`
	Dropped map[loss.Name]uint64 `json:"dropped,omitempty"`
}

// Balance returns the state of the books; lost are the requests that the kernel
// itself lost, by reason. Queued is what is neither sent nor dropped yet.
func (b *Books) Balance(lost map[string]uint64) Balance {
	b.mu.Lock()
	defer b.mu.Unlock()
	// What is sent or dropped was seen before.
	all := Balance{Seen: b.seen.Load(), Sent: b.sent, Dropped: maps.Clone(b.dropped)}
	settled := b.sent
	for _, n := range b.dropped {
		settled += n
	}
	all.Queued = all.Seen - min(settled, all.Seen)
	for reason, n := range lost {
		if n == 0 {
			continue
		}
		all.Seen += n
		all.Dropped[loss.Name(reason)] += n
	}
	return all
}

// DroppedTotal is the sum over all reasons.
func (b Balance) DroppedTotal() uint64 {
	var sum uint64
	for _, n := range b.Dropped {
		sum += n
	}
	return sum
}

// Reasons returns the reasons in alphabetical order.
func (b Balance) Reasons() []loss.Name {
	return slices.Sorted(maps.Keys(b.Dropped))
}
