package dns

import (
	"container/list"
	"slices"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

const (
	// lookupsMax bounds the lookups of a node that are under way; the one that has been silent
	// for the longest time gives way.
	lookupsMax = 8192
	// ofLookupMax bounds the questions of one: both kinds of addresses, of six names and more.
	ofLookupMax = 32
	// socketsMax bounds the sockets whose questions wait.
	socketsMax = 8192
	// patience is how long nothing may come of a question: resolvers wait for 5 s by default,
	// for 30 at most, and ask again.
	patience = 35 * time.Second
	// pauseMax is the time in which a resolver goes on with the next name of its search list.
	pauseMax = time.Second
)

// pipelined is a reason of package loss.
const pipelined = "pipelined"

// question is one that was asked.
type question struct {
	message
	conn  uint64
	of    *lookup
	again bool // its answer was cut: it is asked for once more, over TCP
}

// lookup is what a thread wants to know: a question, and others that are proven to belong to it.
type lookup struct {
	x        probe.Exchange
	at       *list.Element
	name     string // that was asked for last
	kind     uint16 // that was asked for first
	rcode    uint8
	tries    uint8 // names
	waits    []*question
	asked    time.Time // last
	answered time.Time // last, zero: never
	found    bool      // one answer has brought something
	wanted   []string  // the names that would go on with it, where it has failed
	over     bool      // it may go on, with one of those
}

// follower is probe.Follower.
type follower struct {
	lose    probe.Lose
	sockets map[uint64]*socket
	order   *list.List // of lookups, the one with the latest event first
	lists   *searchLists
	names   names
	facts   []byte
	now     time.Time // of the latest event
}

// socket is what is known of one with questions.
type socket struct {
	waits    []*question
	out, in  stream
	isStream bool
}

// Follow begins the books of lookups.
func Follow(lose probe.Lose) probe.Follower { return newFollower(lose, readSearchList) }

func newFollower(lose probe.Lose, read func(pid uint32) searchList) *follower {
	return &follower{lose: lose, sockets: make(map[uint64]*socket), order: list.New(), lists: newSearchLists(read), names: make(names)}
}

// Take is part of probe.Follower.
func (f *follower) Take(event *probe.Exchange, handle func(*probe.Exchange)) {
	n, ok := readNote(event.RequestHead)
	if !ok {
		return
	}
	f.now = event.Start
	if n.kind == tellClosed {
		f.closed(n.conn)
		return
	}
	s := f.socketOf(&n, event.PID)
	if s == nil {
		return
	}
	if !s.isStream {
		f.took(&n, n.head, event, handle)
		return
	}
	way := &s.out
	if n.kind == tellReceived {
		way = &s.in
	}
	way.feed(n.head, n.size, func(head []byte) { f.took(&n, head, event, handle) })
}

// Settle is part of probe.Settler.
func (f *follower) Settle(now time.Time, handle func(*probe.Exchange)) {
	for at := f.order.Back(); at != nil; {
		l := at.Value.(*lookup)
		at = at.Prev()
		silent := now.Sub(l.last())
		switch {
		case silent > patience, l.over && silent > pauseMax:
			f.finish(l, handle)
		case silent <= pauseMax:
			return // those before it are younger
		}
	}
}

func (l *lookup) last() time.Time {
	if l.answered.After(l.asked) {
		return l.answered
	}
	return l.asked
}

// socketOf finds or begins a socket; nil: an answer on one of which nothing is waited for.
func (f *follower) socketOf(n *note, pid uint32) *socket {
	if s := f.sockets[n.conn]; s != nil || n.kind == tellReceived {
		return s
	}
	if len(f.sockets) >= socketsMax {
		f.lose(pid, pipelined)
		return nil
	}
	s := &socket{isStream: n.stream}
	f.sockets[n.conn] = s
	return s
}

func (f *follower) closed(conn uint64) {
	delete(f.sockets, conn) // what waits may be asked again, elsewhere
}

// took handles a message.
func (f *follower) took(n *note, head []byte, event *probe.Exchange, handle func(*probe.Exchange)) {
	m, ok := readMessage(head)
	if !ok || m.response != (n.kind == tellReceived) {
		if s := f.sockets[n.conn]; s != nil && !s.isStream && len(s.waits) == 0 {
			delete(f.sockets, n.conn)
		}
		return
	}
	if m.response {
		f.answers(n, m, event, handle)
	} else {
		f.asks(n, m, event)
	}
}

// asks handles a question.
func (f *follower) asks(n *note, m message, event *probe.Exchange) {
	s := f.sockets[n.conn]
	if i := slices.IndexFunc(s.waits, m.isAsked); i >= 0 {
		f.touch(s.waits[i].of).asked = event.Start // once more
		return
	}
	l := f.goesOn(n, &m, event)
	if l == nil {
		l = f.begin(m, event)
	}
	if l.name != m.name {
		l.name, l.tries = m.name, l.tries+1
	}
	f.touch(l).asked = event.Start
	if len(l.waits) >= ofLookupMax {
		f.lose(event.PID, pipelined)
		return
	}
	l.over, l.wanted = false, nil
	q := &question{message: m, conn: n.conn, of: l}
	l.waits = append(l.waits, q)
	s.waits = append(s.waits, q)
}

func (m *message) isAsked(q *question) bool {
	return q.id == m.id && q.kind == m.kind && q.name == m.name && !q.again
}

// goesOn finds the lookup that a question belongs to, nil if it begins one. It is the same
// name, on the same socket, while another kind of it is waited for; the same question, by the
// same thread or with the same id, that has no answer, or one that was cut; or the next name of
// the process's search list, by the same thread, after the one before was not found.
func (f *follower) goesOn(n *note, m *message, event *probe.Exchange) *lookup {
	looked := 0
	for at := f.order.Front(); at != nil && looked < 256; at = at.Next() {
		looked++
		l := at.Value.(*lookup)
		if l.x.PID != event.PID {
			continue
		}
		own := l.x.TID == event.TID && !n.moves
		if own && l.over && slices.Contains(l.wanted, m.name) && event.Start.Sub(l.answered) <= pauseMax {
			return l
		}
		if f.waitsFor(l, n, m, own) {
			return l
		}
	}
	return nil
}

// waitsFor tells whether a lookup waits for what is asked: another kind of the name on the same socket,
// or the same question, which replaces the one that has no answer.
func (f *follower) waitsFor(l *lookup, n *note, m *message, own bool) bool {
	for i, q := range l.waits {
		switch {
		case q.name != m.name:
		case q.kind == m.kind && (own || q.id == m.id):
			f.drop(q)
			l.waits = slices.Delete(l.waits, i, i+1)
			return true
		case q.conn == n.conn && q.kind != m.kind:
			return true
		}
	}
	return false
}

// begin begins a lookup. One of the same thread that could have gone on has not.
func (f *follower) begin(m message, event *probe.Exchange) *lookup {
	if f.order.Len() >= lookupsMax {
		last := f.order.Back().Value.(*lookup)
		f.lose(last.x.PID, pipelined)
		f.forget(last)
	}
	l := &lookup{x: *event, kind: m.kind, rcode: unanswered}
	l.x.RequestHead, l.x.AnswerHead, l.x.Preface = nil, nil, nil
	l.at = f.order.PushFront(l)
	return l
}

// touch makes a lookup the latest.
func (f *follower) touch(l *lookup) *lookup {
	f.order.MoveToFront(l.at)
	return l
}

// answers handles an answer.
func (f *follower) answers(n *note, m message, event *probe.Exchange, handle func(*probe.Exchange)) {
	s := f.sockets[n.conn]
	i := slices.IndexFunc(s.waits, m.isAsked)
	if i < 0 {
		return
	}
	q := s.waits[i]
	l := f.touch(q.of)
	l.answered = event.Start
	if m.cut && !n.stream {
		q.again = true // until it is asked for over TCP, or nobody does
		l.note(&m)
		return
	}
	f.drop(q)
	l.waits = slices.DeleteFunc(l.waits, func(other *question) bool { return other == q })
	l.note(&m)
	if len(l.waits) > 0 {
		return
	}
	if !l.found && !n.moves {
		l.wanted = f.lists.of(l.x.PID, f.now).after(l.name)
	}
	if l.over = len(l.wanted) > 0; !l.over {
		f.finish(l, handle)
	}
}

// note keeps what an answer says: success, if any is one.
func (l *lookup) note(m *message) {
	const noError = 0
	if m.rcode == noError {
		l.rcode = noError
		l.found = l.found || m.answers > 0
	} else if l.rcode != noError || !l.found {
		l.rcode = m.rcode
	}
}

// drop takes a question from its socket.
func (f *follower) drop(q *question) {
	s := f.sockets[q.conn]
	if s == nil {
		return
	}
	s.waits = slices.DeleteFunc(s.waits, func(other *question) bool { return other == q })
	if len(s.waits) == 0 && !s.isStream {
		delete(f.sockets, q.conn)
	}
}

func (f *follower) forget(l *lookup) {
	for _, q := range l.waits {
		f.drop(q)
	}
	f.order.Remove(l.at)
}

// finish hands on a lookup that is over. One without an answer has lasted at least until it was
// last asked for.
func (f *follower) finish(l *lookup, handle func(*probe.Exchange)) {
	f.forget(l)
	l.x.Answered, l.x.End = l.answered, l.answered
	unheard := slices.ContainsFunc(l.waits, func(q *question) bool { return !q.again })
	if l.answered.IsZero() || unheard && !l.found {
		l.x.End, l.rcode = l.asked, unanswered
	}
	is := facts{kind: l.kind, rcode: l.rcode, tries: l.tries, name: f.names.bounded(l.x.PID, l.name)}
	f.facts = is.append(f.facts[:0])
	l.x.RequestHead = f.facts
	handle(&l.x)
}
