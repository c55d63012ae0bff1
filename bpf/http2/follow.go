package http2

import (
	"container/list"

	"github.com/odi-dev/odi/bpf/probe"
)

const (
	// connsMax bounds the connections of a node that are followed at once; the one that
	// was silent for the longest time gives way. Each keeps a few KiB: what it has said.
	connsMax = 4096
	// streamsMax bounds the requests that are under way on all of them.
	streamsMax = 32 << 10
	// ofConnMax is more than servers allow by default (100 to 250).
	ofConnMax = 4096
	// earlyMax bounds the answers of a connection that were read before their requests.
	earlyMax = 64
)

// Reasons for losses, of package loss.
const (
	ringFull     = "ring_full"
	pipelined    = "pipelined"
	unparsable   = "unparsable"
	joinedMidway = "joined_midway"
)

// follower is probe.Follower.
type follower struct {
	lose    probe.Lose
	conns   map[uint64]*conn
	recent  *list.List // of conns, the one with the latest event first
	streams int
}

// conn is what is known of a connection.
type conn struct {
	id      uint64
	at      *list.Element
	client  direction
	server  direction
	newest  uint32 // stream of the latest request
	early   int    // streams whose requests have not come
	streams map[uint32]*stream
}

// Follow begins the books of connections.
func Follow(lose probe.Lose) probe.Follower {
	return &follower{lose: lose, conns: make(map[uint64]*conn), recent: list.New()}
}

// Take is part of probe.Follower.
func (f *follower) Take(event *probe.Exchange, handle func(*probe.Exchange)) {
	n, ok := readNote(event.RequestHead)
	if !ok {
		return
	}
	if n.kind == tellClosed || n.kind == tellLost {
		f.ends(&n, event, handle)
		return
	}
	c := f.of(&n, event.PID)
	d := c.direction(n.byClient)
	if n.seq != d.next {
		f.missed(c, d, event.PID)
	}
	d.next = n.seq + 1
	switch n.kind {
	case tellBlock:
		if d.piece(&n, event) {
			f.block(c, d, event, handle)
		}
	case tellTurned:
		f.turned(c, &n, event, handle)
	case tellEnd:
		f.finish(c, n.stream, event, handle)
	case tellReset:
		f.reset(c, &n, event, handle)
	case tellGoAway:
		f.goAway(c, &n, event, handle)
	}
}

// direction is what one side of a connection says.
func (c *conn) direction(byClient bool) *direction {
	if byClient {
		return &c.client
	}
	return &c.server
}

// of finds or begins a connection. One that was joined midway lacks its first event.
func (f *follower) of(n *note, pid uint32) *conn {
	if c := f.conns[n.conn]; c != nil {
		f.recent.MoveToFront(c.at)
		return c
	}
	if len(f.conns) >= connsMax {
		f.drop(f.recent.Back().Value.(*conn), pipelined, pid)
	}
	c := &conn{id: n.conn, streams: make(map[uint32]*stream)}
	for _, d := range []*direction{&c.client, &c.server} {
		d.begin()
		if n.seq == 1 {
			d.forget()
			d.next = 1
		}
	}
	c.at = f.recent.PushFront(c)
	f.conns[c.id] = c
	return c
}

// missed handles events that were lost: what was said in them nobody knows, nor how the
// requests that were under way went on.
func (f *follower) missed(c *conn, d *direction, pid uint32) {
	d.forget()
	f.empty(c, ringFull, pid)
}

// empty lets go of all requests of a connection.
func (f *follower) empty(c *conn, reason string, pid uint32) {
	for id, s := range c.streams {
		if s.asked {
			f.lose(pid, reason)
		}
		f.forget(c, id)
	}
}

// drop forgets a connection, and its requests.
func (f *follower) drop(c *conn, reason string, pid uint32) {
	f.empty(c, reason, pid)
	f.recent.Remove(c.at)
	delete(f.conns, c.id)
}

// forget lets go of a stream.
func (f *follower) forget(c *conn, id uint32) {
	s := c.streams[id]
	if s == nil {
		return
	}
	if !s.asked {
		c.early--
	}
	delete(c.streams, id)
	f.streams--
}

// ends ends a connection, with the requests that have no answer yet.
func (f *follower) ends(n *note, event *probe.Exchange, handle func(*probe.Exchange)) {
	c := f.conns[n.conn]
	switch {
	case c == nil:
		return
	case n.kind == tellLost:
		f.empty(c, unparsable, event.PID)
	case n.seq != c.client.next || n.code != c.server.next:
		f.empty(c, ringFull, event.PID)
	}
	for id, s := range c.streams {
		if !s.asked {
			continue
		}
		s.x.Error = event.Error
		f.finish(c, id, event, handle)
	}
	f.drop(c, "", event.PID)
}
