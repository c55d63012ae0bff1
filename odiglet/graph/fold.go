package graph

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/identity"
)

const (
	// MaxEdges bounds the edges of a service instance, and maxNamed the servers that only their
	// clients' names are known of. What is beyond goes to others.
	MaxEdges = 500
	maxNamed = 200
	// patience is for how many collections an address may become known.
	patience = 3
	// nobody is the client that nothing is known of, but that it is there.
	nobody = "unknown"
	// virtual is the connection_type of edges one end of which nobody looks at.
	virtual = "virtual_node"
)

// edge tells the series of a service instance apart.
type edge struct {
	client, server identity.Party
	connection     string
}

// series is what is known of an edge from one of its ends.
type series struct {
	counts
	client, server histogram // as these saw it
}

// stream is what a service instance counts under one resource. Its sums begin at start.
type stream struct {
	resource pcommon.Resource
	start    time.Time
	edges    map[edge]*series
	named    map[string]bool
	// overflowed counts the requests that went to others.
	overflowed *uint64
}

// served is who answered on an address of this machine.
type served struct {
	party   identity.Party
	several bool  // there was another
	last    int64 // when the latest request ended, in Unix nanoseconds
}

// servedFor is for how long it is known that there was another.
const servedFor = time.Minute

// Collect gives what was counted to the edges, and returns all of them as cumulative sums. The last
// time nothing waits for its address to become known.
func (r *Recorder) Collect(now time.Time, last bool) pmetric.Metrics {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.since) {
		now = r.since
	}
	r.learn(now)
	clear(r.recent[:])
	before := r.waiting
	r.waiting = nil
	for _, t := range before {
		if !r.fold(t, last) {
			r.waiting = append(r.waiting, t)
		}
	}
	for k, first := range r.tallies {
		if first = r.foldAll(first, last); first == nil {
			delete(r.tallies, k)
			continue
		}
		r.tallies[k] = first
	}
	md := write(r.streams, r.bounds, now)
	for of := range r.streams {
		if _, lives := r.Resource(of); !lives {
			delete(r.streams, of) // it was written once more
		}
	}
	r.since = now.Add(1) // a start time must not come again
	return md
}

// learn notes who has served here, and forgets who has long ago; r.mu is held.
func (r *Recorder) learn(now time.Time) {
	for at, s := range r.served {
		if now.Sub(time.Unix(0, s.last)) > servedFor {
			delete(r.served, at)
		}
	}
	for _, first := range r.tallies {
		for t := first; t != nil; t = t.next {
			if t.kind != probe.Server || t.requests == 0 || !t.local.IsValid() || !t.of.SharesHost {
				continue
			}
			at := netip.AddrPortFrom(t.local, t.port)
			known, ok := r.served[at]
			r.served[at] = served{t.of.Party, ok && (known.several || known.party != t.of.Party), max(t.last, known.last)}
		}
	}
}

// foldAll folds what has the same key, and returns those that are kept. What has to wait goes aside, so that
// it does not become more, of which more would have to be known.
func (r *Recorder) foldAll(first *tally, last bool) *tally {
	var kept *tally
	for t := first; t != nil; {
		next := t.next
		if t.requests == 0 {
			r.size--
			t = next
			continue
		}
		if r.fold(t, last) {
			clear(t.took.counts)
			t.counts, t.took = counts{}, histogram{counts: t.took.counts}
			t.first, t.last, t.latest = 0, 0, 0
			t.next, kept = kept, t
		} else {
			r.size--
			r.waiting = append(r.waiting, t)
		}
		t = next
	}
	return kept
}

// fold gives a tally to its edge; false: its address may become known.
func (r *Recorder) fold(t *tally, last bool) bool {
	peer := r.whose(t)
	if peer.State == Pending {
		if t.turns++; t.turns < patience && !last {
			return false
		}
		peer = Answer{}
	}
	s := r.streamOf(t.of)
	if t.kind == probe.Client {
		s.asked(t, peer)
		return true
	}
	s.answered(t, peer)
	return true
}

// whose says who was at the other end; r.mu is held.
func (r *Recorder) whose(t *tally) Answer {
	if !t.peer.IsValid() {
		return Answer{}
	}
	if t.peer.IsLoopback() && !t.of.SharesHost {
		return Answer{State: Known, Party: t.of.Party, Observed: true}
	}
	answer := r.Directory.Find(Question{Of: t.of, Peer: t.peer, First: time.Unix(0, t.first), Last: time.Unix(0, t.last)})
	if answer.State == Known || t.kind == probe.Server {
		return answer
	}
	return r.here(t, answer)
}

// here says who has served the client on this machine: who has served at the address when it last asked.
func (r *Recorder) here(t *tally, answer Answer) Answer {
	s, ok := r.served[netip.AddrPortFrom(t.peer, t.port)]
	switch {
	case !ok || s.several:
		return answer
	case s.last < t.latest:
		return Answer{State: Pending} // its record may be on the way
	}
	return Answer{State: Known, Party: s.party, Observed: true}
}

// streamOf finds or begins the stream of a service; with another resource it begins anew.
func (r *Recorder) streamOf(service *identity.Service) *stream {
	of := service.Key()
	resource, lives := r.Resource(of)
	s := r.streams[of]
	if !lives && s == nil {
		resource = service.Resource()
	}
	if s != nil && (!lives || s.resource.Attributes().Equal(resource.Attributes())) {
		return s
	}
	s = &stream{resource: resource, start: r.since, edges: make(map[edge]*series), named: make(map[string]bool), overflowed: &r.overflowed}
	r.streams[of] = s
	return s
}

// asked takes requests of the service's own. All of them count; how long the server took is not known
// better where nobody looks at it.
func (s *stream) asked(t *tally, peer Answer) {
	e := edge{client: t.of.Party, server: peer.Party, connection: connection(t, peer)}
	if peer.State != Known {
		e.server = identity.Party{Name: s.nameOf(t)}
	}
	to := s.of(e, t.requests)
	to.count(t)
	to.client.add(t.took)
	if !peer.Observed || t.isOfHost() {
		to.server.add(t.took)
	}
}

// isOfHost says that it went over the loopback of the machine, where a server cannot know its client: the client has the whole edge.
func (t *tally) isOfHost() bool { return t.of.SharesHost && t.peer.IsLoopback() }

// answered takes requests that the service has served. They are counted by their client, if somebody
// looks at it. Of a client that nobody knows that is so if it has told its span.
func (s *stream) answered(t *tally, peer Answer) {
	e := edge{client: peer.Party, server: t.of.Party, connection: connection(t, peer)}
	counted := peer.Observed
	if peer.State != Known {
		e.client, counted = identity.Party{Name: nobody}, t.linked
		if counted && t.isOfHost() {
			return
		}
	}
	to := s.of(e, t.requests)
	if !counted {
		to.count(t)
	}
	to.server.add(t.took)
}

func connection(t *tally, peer Answer) string {
	if of := t.connection.String(); of != "" {
		return of
	}
	if !peer.Observed {
		return virtual
	}
	return ""
}

// nameOf is what the client calls its server, unless it has too many.
func (s *stream) nameOf(t *tally) string {
	name := strings.ToLower(t.server)
	if _, err := netip.ParseAddr(name); err == nil && t.port != 0 {
		name = net.JoinHostPort(name, strconv.Itoa(int(t.port)))
	}
	switch {
	case name == "":
		return nobody
	case s.named[name]:
		return name
	case len(s.named) >= maxNamed:
		*s.overflowed += t.requests
		return other
	}
	s.named[name] = true
	return name
}

func (s *series) count(t *tally) {
	s.requests += t.requests
	s.failed += t.failed
}

// of finds or begins the edge of some requests. Beyond the bound both ends are others.
func (s *stream) of(e edge, requests uint64) *series {
	known := s.edges[e]
	if known == nil && len(s.edges) >= MaxEdges {
		*s.overflowed += requests
		e = edge{client: identity.Party{Name: other}, server: identity.Party{Name: other}, connection: e.connection}
		known = s.edges[e]
	}
	if known == nil {
		known = &series{}
		s.edges[e] = known
	}
	return known
}
