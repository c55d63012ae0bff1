package signal

import (
	"sync"
	"sync/atomic"
)

// Memory is what one batch after the other is written into: half a megabyte of new memory
// for each would be most of the odiglet's garbage. Whoever needs a batch beyond the call that
// brought it holds its memory meanwhile. A nil one is never used again. It may be used by
// several goroutines.
type Memory struct {
	bytes   []byte
	holders atomic.Int32
	pool    *Pool
}

// Hold keeps the memory as it is until Release. Only who was given it, and has not returned yet, or
// holds it may call.
func (m *Memory) Hold() {
	if m != nil {
		m.holders.Add(1)
	}
}

// Release ends one Hold. The last one gives the memory back.
func (m *Memory) Release() {
	if m != nil && m.holders.Add(-1) == 0 {
		m.pool.free.Put(m)
	}
}

// Empty is the memory, to be written into by the one who got it.
func (m *Memory) Empty() []byte { return m.bytes[:0] }

// Pool is memory that nobody holds. The garbage collector takes what was not used for
// long. The zero value is usable, by several goroutines.
type Pool struct{ free sync.Pool }

// spareRoom is the part of its memory that a batch may leave unused: queues count bodies.
const spareRoom = 4

// Get returns memory that has room for so many bytes, and little more. It is held once, for the caller.
func (p *Pool) Get(room int) *Memory {
	m, ok := p.free.Get().(*Memory)
	if ok && cap(m.bytes) >= room && cap(m.bytes)-room <= room/spareRoom {
		m.holders.Store(1)
		return m
	}
	if ok && cap(m.bytes) > room {
		p.free.Put(m) // for a larger one
	}
	m = &Memory{bytes: make([]byte, 0, room+room/(2*spareRoom)), pool: p}
	m.holders.Store(1)
	return m
}
