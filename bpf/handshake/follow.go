package handshake

import (
	"github.com/odi-dev/odi/bpf/probe"
)

// Follower is probe.Follower. It reads what was said, bounds the names of servers, and keeps
// when certificates expire.
type Follower struct {
	Certificates

	names names
	facts []byte
}

// Follow begins the books of handshakes.
func Follow(probe.Lose) probe.Follower { return &Follower{names: make(names)} }

// Take is part of probe.Follower.
func (f *Follower) Take(event *probe.Exchange, handle func(*probe.Exchange)) {
	n, ok := readNote(event.RequestHead)
	if !ok {
		return
	}
	is := facts{ended: n.ended, alert: n.alert, byClient: n.bits&bitByClient != 0}
	is.name = readServerName(n.client)
	answer, certificate := readAnswer(n.server)
	is.version, is.cipher, is.protocol = answer.version, answer.cipher, answer.protocol
	is.kind = n.kind(answer)
	if event.Kind == probe.Server {
		is.name = f.names.bounded(event.PID, is.name, n.ended == endedDone)
	}
	if expires, ok := notAfter(certificate); ok {
		f.note(event, is.name, expires)
	}
	f.facts = is.append(f.facts[:0])
	event.RequestHead = f.facts
	handle(event)
}

// kind is how much of a handshake it was.
func (n *note) kind(answer hello) kind {
	switch {
	case n.bits&bitEarly != 0:
		return early
	case answer.psk, answer.version < version13 && n.bits&bitResumed != 0:
		return resumed
	case n.bits&bitAgain != 0:
		return retried
	}
	return full
}
