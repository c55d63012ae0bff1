package kafka

import (
	"container/list"
	"encoding/base64"
	"slices"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

const (
	// connsMax bounds the connections of a node that are followed at once; the one that
	// was silent for the longest time gives way.
	connsMax = 4096
	// ofConnMax bounds the requests of a connection that wait for their answers; brokers
	// take one at a time, clients send a few ahead.
	ofConnMax = 256
	// earlyMax bounds the answers of a connection that were read before their requests
	// were looked at, or whose requests nobody has seen.
	earlyMax = 4
	// namesMax bounds the topics of all clusters whose names are known.
	namesMax = 20_000
	// partsMax is NAMES_KEPT of message.h: what is kept of an answer that comes in parts.
	partsMax = 64 << 10
	// waitsMax and keptMax bound the requests that wait, and the bytes of parts, of all
	// connections: some 16 MiB, whatever the pods of a node do.
	waitsMax = 16 << 10
	keptMax  = 4 << 20
)

// Reasons for losses, of package loss.
const (
	ringFull   = "ring_full"
	pipelined  = "pipelined"
	unparsable = "unparsable"
	noMessages = "no_messages"
)

// String is how Kafka's tools write it.
func (id topicID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// follower is probe.Follower.
type follower struct {
	lose   probe.Lose
	conns  map[uint64]*conn
	recent *list.List // of conns, the one with the latest event first
	names  map[topicID]string
	facts  []byte

	waiting, kept int // of all connections: requests, and bytes of parts
}

// conn is what is known of a connection.
type conn struct {
	id    uint64
	at    *list.Element
	waits []pending // for answers, in the order in which they will come
	early []answer
	parts []byte // of the answer that is coming
	full  bool   // more of it came than is kept
}

// pending is a request without an answer.
type pending struct {
	asked
	x probe.Exchange
}

// answer is one that has no request yet.
type answer struct {
	begun, end time.Time
	head       []byte
}

// Follow begins the books of connections.
func Follow(lose probe.Lose) probe.Follower {
	return &follower{lose: lose, conns: make(map[uint64]*conn), recent: list.New(), names: make(map[topicID]string)}
}

// Take is part of probe.Follower.
func (f *follower) Take(event *probe.Exchange, handle func(*probe.Exchange)) {
	n, ok := readNote(event.RequestHead)
	if !ok {
		return
	}
	switch n.kind {
	case tellAsked:
		f.asks(&n, event, handle)
	case tellPart:
		f.keep(f.of(n.conn), n.head)
	case tellAnswered:
		f.answers(&n, event, handle)
	case tellClosed, tellStrayed:
		f.ends(&n, event, handle)
	}
}

// of finds or begins a connection.
func (f *follower) of(id uint64) *conn {
	if c := f.conns[id]; c != nil {
		f.recent.MoveToFront(c.at)
		return c
	}
	if len(f.conns) >= connsMax {
		f.giveUp(f.recent.Back().Value.(*conn))
	}
	c := &conn{id: id}
	c.at = f.recent.PushFront(c)
	f.conns[id] = c
	return c
}

// giveUp forgets a connection whose answers nobody will have waited for.
func (f *follower) giveUp(c *conn) {
	for i := range c.waits {
		f.gone(&c.waits[i], pipelined)
	}
	f.forget(c)
}

func (f *follower) forget(c *conn) {
	f.waiting -= len(c.waits)
	f.kept -= len(c.parts)
	f.recent.Remove(c.at)
	delete(f.conns, c.id)
}

// keep keeps a part of an answer: its beginning, as far as there is room.
func (f *follower) keep(c *conn, part []byte) {
	if c.full || len(c.parts)+len(part) > partsMax || f.kept+len(part) > keptMax {
		c.full = true
		return
	}
	c.parts = append(c.parts, part...)
	f.kept += len(part)
}

// whole is an answer with the parts that came before its end.
func (f *follower) whole(c *conn, end []byte) []byte {
	parts, full := c.parts, c.full
	f.kept -= len(parts)
	c.parts, c.full = nil, false
	if full {
		return parts
	}
	return append(parts, end...)
}

// moves says whether a request moves messages.
func (a *asked) moves() bool { return a.key <= keyFetch }

// gone counts a request that will never be whole, if it would have had a span.
func (f *follower) gone(p *pending, reason string) {
	if p.moves() {
		f.lose(p.x.PID, reason)
	}
}

// asks handles a request.
func (f *follower) asks(n *note, event *probe.Exchange, handle func(*probe.Exchange)) {
	a, ok := readRequest(n.head)
	if !ok {
		f.lose(event.PID, unparsable)
		return
	}
	if !a.moves() {
		f.lose(event.PID, noMessages)
	}
	c := f.of(n.conn)
	p := pending{asked: a, x: *event}
	p.x.RequestHead, p.x.AnswerHead, p.x.Preface = nil, nil, nil
	if a.silent && a.key == keyProduce {
		p.x.Answered = p.x.End
		f.hand(&p, p.sent, handle)
		return
	}
	for i := range c.early {
		if came := c.early[i]; numberOf(came.head) == a.correlation {
			c.early = slices.Delete(c.early, i, i+1)
			f.finish(&p, &came, handle)
			return
		}
	}
	f.makeRoom(c)
	c.waits = append(c.waits, p)
	f.waiting++
}

// makeRoom lets one more request of a connection wait: where there are too many, its own
// first one gives way, or the connection that was silent for the longest time.
func (f *follower) makeRoom(c *conn) {
	last := f.recent.Back().Value.(*conn)
	if f.waiting >= waitsMax && last != c {
		f.giveUp(last)
	}
	if len(c.waits) >= ofConnMax || len(c.waits) > 0 && f.waiting >= waitsMax {
		f.gone(&c.waits[0], pipelined)
		c.waits = slices.Delete(c.waits, 0, 1)
		f.waiting--
	}
}

// numberOf is that of the request that an answer is for.
func numberOf(head []byte) int32 { return (&reader{b: head}).int32() }

// answers handles an answer. Those of a connection come in the order of their requests:
// what was asked before and is still waiting has lost its own.
func (f *follower) answers(n *note, event *probe.Exchange, handle func(*probe.Exchange)) {
	c := f.of(n.conn)
	came := answer{begun: event.Start, end: event.End, head: n.head}
	if len(c.parts) > 0 || c.full {
		came.head = f.whole(c, n.head)
	}
	if len(came.head) < 4 {
		return
	}
	number := numberOf(came.head)
	at := slices.IndexFunc(c.waits, func(p pending) bool { return p.correlation == number })
	if at < 0 {
		if event.Kind == probe.Client {
			came.head = slices.Clone(came.head)
			c.early = append(c.early[max(0, len(c.early)+1-earlyMax):], came)
		}
		return
	}
	for i := range at {
		f.gone(&c.waits[i], ringFull)
	}
	p := c.waits[at]
	c.waits = slices.Delete(c.waits, 0, at+1)
	f.waiting -= at + 1
	f.finish(&p, &came, handle)
}

// finish hands on a request with its answer.
func (f *follower) finish(p *pending, came *answer, handle func(*probe.Exchange)) {
	p.x.Answered, p.x.End = notBefore(came.begun, p.x.Start), notBefore(came.end, p.x.Start)
	switch p.key {
	case keyMetadata:
		readNames(came.head, &p.asked, f.learn)
	case keyProduce:
		f.hand(p, produced(came.head, &p.asked), handle)
	case keyFetch:
		f.fetched(p, came, handle)
	}
}

// fetched hands on a Fetch that has brought something, or an error.
func (f *follower) fetched(p *pending, came *answer, handle func(*probe.Exchange)) {
	if !isKnown(p.key, p.version) {
		f.lose(p.x.PID, unparsable)
		return
	}
	m := fetchedOf(came.head, &p.asked)
	if m.partition < 0 && m.topic == nil && m.count < 0 && !m.idle && m.fault == 0 {
		// The answer is longer than what is kept, and nothing has come as far as that
		// goes: one that took all the time that it was given has nothing behind it.
		m.idle = p.x.End.Sub(p.x.Start) >= time.Duration(p.maxWait)*time.Millisecond
	}
	if m.idle && m.fault == 0 {
		f.lose(p.x.PID, noMessages)
		return
	}
	f.hand(p, m, handle)
}

// hand hands on a request that is whole.
func (f *follower) hand(p *pending, m moved, handle func(*probe.Exchange)) {
	is := facts{key: uint8(p.key), fault: m.fault, partition: m.partition, count: m.count, offset: m.offset, client: p.client}
	if m.topic != nil {
		is.topic = m.topic.name
		if is.topic == "" {
			is.topic = f.names[m.topic.id]
		}
		if is.topic == "" {
			is.id = m.topic.id
		}
	}
	f.facts = is.append(f.facts[:0])
	p.x.RequestHead = f.facts
	handle(&p.x)
}

// learn keeps the name of a topic.
func (f *follower) learn(id topicID, name string) {
	if len(f.names) >= namesMax {
		for any := range f.names {
			delete(f.names, any)
			break
		}
	}
	f.names[id] = name
}

// ends ends a connection. What was to be sent has failed; whoever waits for messages may
// stop waiting, unless the connection was reset.
func (f *follower) ends(n *note, event *probe.Exchange, handle func(*probe.Exchange)) {
	c := f.conns[n.conn]
	if c == nil {
		return
	}
	f.forget(c)
	for i := range c.waits {
		p := &c.waits[i]
		switch {
		case n.kind == tellStrayed:
			f.gone(p, unparsable)
		case p.key == keyFetch && event.Error <= probe.ErrorClosed:
			f.lose(p.x.PID, noMessages)
		case p.moves():
			p.x.Error, p.x.End = event.Error, notBefore(event.Start, p.x.Start)
			f.hand(p, p.sent, handle)
		}
	}
}

// notBefore returns the later of two times.
func notBefore(t, begin time.Time) time.Time {
	if t.Before(begin) {
		return begin
	}
	return t
}
