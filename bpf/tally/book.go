package tally

import (
	"bytes"
	"hash/maphash"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

const (
	// often is how many of those that are alike are told of before the others are counted, within forget:
	// paths with an id in them hardly ever come back.
	often  = 3
	forget = 10 * time.Second
	// maxSeen bounds what is remembered of those that were told of.
	maxSeen = 4096
	// idle is after how long without a request a place is given up.
	idle = 30 * time.Second
	// settle is how long a place is left alone once it has no key any more: longer than any program
	// that has looked it up before takes to count.
	settle = 10 * time.Second
)

// Kernel is where keys lead to places.
type Kernel interface {
	Put(Key, uint32) error
	Delete(Key) error
}

// Book knows which place is whose. It is for one goroutine.
type Book struct {
	kernel Kernel
	places []Place

	seed  maphash.Seed
	seen  map[uint64]uint8 // how often keys were told of since
	since time.Time
	rows  map[Key]*row
	given []*row   // up, and not free yet; the oldest first
	free  []uint32 // places
	tally probe.Tally
}

// row is a place that has a key, or had one.
type row struct {
	key    Key
	place  uint32
	sample []byte // an event of such a request
	as     any    // what its handler has said
	before counts
	used   time.Time
	left   time.Time // when its key was taken out
}

// NewBook returns a book of places that are all free.
func NewBook(kernel Kernel, places []Place) *Book {
	b := &Book{kernel: kernel, places: places, seed: maphash.MakeSeed(), seen: map[uint64]uint8{}, rows: map[Key]*row{}}
	for i := range places {
		b.free = append(b.free, uint32(i))
	}
	return b
}

// Told takes a request that was told of with all that it was, as an event whose memory it does not
// keep. Its handler has set CountAs.
func (b *Book) Told(key *Key, x *probe.Exchange, event []byte, now time.Time) {
	r := b.rows[*key]
	if r == nil && b.comesOften(key, now) {
		r = b.begin(key, x, event, now)
	}
	if r == nil {
		return
	}
	b.places[r.place].widen(x)
}

// comesOften says whether requests of a key are worth a place.
func (b *Book) comesOften(key *Key, now time.Time) bool {
	if now.Sub(b.since) > forget || len(b.seen) >= maxSeen {
		clear(b.seen)
		b.since = now
	}
	hash := maphash.Comparable(b.seed, *key)
	b.seen[hash]++
	return b.seen[hash] >= often
}

// begin gives a key a place; nil: there is none.
func (b *Book) begin(key *Key, x *probe.Exchange, event []byte, now time.Time) *row {
	if len(b.free) == 0 {
		return nil
	}
	r := &row{key: *key, place: b.free[0], as: x.CountAs, used: now}
	p := &b.places[r.place]
	p.begin()
	p.widen(x)
	p.read(&r.before)
	if b.kernel.Put(r.key, r.place) != nil {
		return nil
	}
	r.sample = bytes.Clone(event)
	b.free = b.free[1:]
	b.rows[r.key] = r
	return r
}

// Drain hands on what was counted since it was called last, and gives up what nobody needs any more.
// handle is given an event of such a request and what Told was given, and returns nil where they are
// to be counted no more. The tally is handle's until it returns.
func (b *Book) Drain(now time.Time, handle func(event []byte, as any, t *probe.Tally) any) {
	for _, r := range b.rows {
		if !b.drain(r, now, handle) || now.Sub(r.used) > idle {
			b.giveUp(r, now)
		}
	}
	for _, r := range b.given {
		b.drain(r, now, handle)
	}
	for len(b.given) > 0 && now.Sub(b.given[0].left) > settle {
		b.free = append(b.free, b.given[0].place)
		b.given = b.given[1:]
	}
}

// drain says whether such requests are still counted.
func (b *Book) drain(r *row, now time.Time, handle func([]byte, any, *probe.Tally) any) bool {
	var c counts
	p := &b.places[r.place]
	p.read(&c)
	if !c.grown(&r.before, p, &b.tally) {
		return true
	}
	r.before, r.used = c, now
	return handle(r.sample, r.as, &b.tally) != nil
}

// giveUp takes out a key. Programs that have looked it up before may still count.
func (b *Book) giveUp(r *row, now time.Time) {
	if b.kernel.Delete(r.key) != nil {
		return // the next time
	}
	delete(b.rows, r.key)
	r.left = now
	b.given = append(b.given, r)
}
