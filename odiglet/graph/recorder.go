package graph

import (
	"net/netip"
	"sort"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/identity"
)

const (
	// MaxTallies bounds the addresses that are told apart between two collections. Requests
	// beyond it are counted with a peer that nobody knows.
	MaxTallies = 4096
	// maxServers bounds the names by which one address is asked between two collections.
	maxServers = 8
	// other stands for the servers that are not told apart.
	other = "other"
)

// Request is one that has ended, as one side saw it.
type Request struct {
	// Of is whose process saw it. It is compared by its address, and never changed.
	Of         *identity.Service
	Kind       probe.Kind
	Connection probe.Connection
	// Local and Peer are the ends of the connection; an invalid Peer is nobody's.
	Local, Peer netip.AddrPort
	// Server is the name that a client has for its server.
	Server string
	// Linked says that a server was told the span of its client.
	Linked bool
	Failed bool
	// Start and End are the request's own, or those between which all of Tally have ended.
	Start, End time.Time
	// Tally is what the request stands for, where that are several; nil: itself.
	Tally *probe.Tally
}

// Options are what a recorder needs.
type Options struct {
	Directory Directory
	// Resource is that of a service instance's metrics; false once it has gone.
	Resource func(identity.Key) (pcommon.Resource, bool)
}

// Recorder holds the edges of all service instances. It may be used by several goroutines.
type Recorder struct {
	Options
	bounds []float64

	mu      sync.Mutex
	tallies map[key]*tally
	size    int        // of tallies, with those behind others
	recent  [64]*tally // of the latest requests, each in its place
	waiting []*tally   // whose address may become known
	streams map[identity.Key]*stream
	served  map[netip.AddrPort]served
	since   time.Time // of the latest collection
	// overflowed counts requests whose peer is not told apart.
	overflowed uint64
}

// New returns a recorder whose first sums start now.
func New(o Options, now time.Time) *Recorder {
	return &Recorder{
		Options: o, since: now, bounds: telemetry.DurationBuckets(),
		tallies: make(map[key]*tally), streams: make(map[identity.Key]*stream), served: make(map[netip.AddrPort]served),
	}
}

// key tells tallies apart, but for the server's name.
type key struct {
	of         *identity.Service
	peer       netip.Addr
	port       uint16 // of the server
	kind       probe.Kind
	connection probe.Connection
	linked     bool
}

// tally is what was counted by an address since it was last given to an edge.
type tally struct {
	key
	server string
	local  netip.Addr // of the latest request
	next   *tally     // the same by another name of the server
	counts
	took        histogram
	first, last int64 // when the first began and the last ended, in Unix nanoseconds
	latest      int64 // when the latest began
	turns       int   // collections for which its address was not known yet
}

// counts are of requests.
type counts struct{ requests, failed uint64 }

// histogram counts durations in seconds per bucket.
type histogram struct {
	counts []uint64
	sum    float64
	n      uint64
}

func (h *histogram) put(seconds float64, bounds []float64) {
	h.counts[sort.SearchFloat64s(bounds, seconds)]++ // a bucket includes its upper bound
	h.sum += seconds
	h.n++
}

// join adds what the kernel has counted by the same bounds, in nanoseconds.
func (h *histogram) join(o *probe.Histogram) {
	for i, n := range o.Buckets {
		h.counts[i] += n
	}
	h.sum += time.Duration(o.Sum).Seconds()
	h.n += o.Count
}

func (h *histogram) add(o histogram) {
	if h.counts == nil {
		h.counts = make([]uint64, len(o.counts))
	}
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.sum += o.sum
	h.n += o.n
}

// Record counts a request. Those over Unix sockets connect no workloads: Peer is then invalid, and
// the caller leaves them out.
func (r *Recorder) Record(q *Request) {
	k := key{of: q.Of, peer: q.Peer.Addr(), port: q.Peer.Port(), kind: q.Kind, connection: q.Connection, linked: q.Linked}
	server := q.Server
	if q.Kind == probe.Server {
		k.port, server = q.Local.Port(), ""
	}
	n := uint64(1)
	if q.Tally != nil {
		n = q.Tally.Took.Count
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	place := &r.recent[k.place()]
	t := *place
	if t == nil || t.key != k || t.server != server {
		t = r.find(k, server, n)
		*place = t
	}
	t.local = q.Local.Addr()
	from, to := q.Start.UnixNano(), q.End.UnixNano()
	if t.requests == 0 || from < t.first {
		t.first = from
	}
	t.last, t.latest = max(t.last, to), max(t.latest, from)
	if q.Tally != nil {
		t.took.join(&q.Tally.Took)
	} else {
		t.took.put(time.Duration(to-from).Seconds(), r.bounds)
	}
	t.requests += n
	if q.Failed {
		t.failed += n
	}
}

// place is where a tally of the key is looked for first: a map is slower.
func (k *key) place() byte {
	raw := k.peer.As16()
	return (raw[15] ^ raw[14]<<2 ^ byte(k.port) ^ byte(k.kind)<<5) % 64
}

// find finds or begins a tally for so many requests; r.mu is held.
func (r *Recorder) find(k key, server string, requests uint64) *tally {
	first, behind := r.tallies[k], 0
	for t := first; t != nil; t = t.next {
		if t.server == server {
			return t
		}
		behind++
	}
	switch {
	case r.size >= MaxTallies && (k.peer.IsValid() || k.port != 0):
		r.overflowed += requests
		return r.find(key{of: k.of, kind: k.kind, connection: k.connection, linked: k.linked}, other, requests)
	case behind >= maxServers && server != other:
		r.overflowed += requests
		return r.find(k, other, requests)
	}
	t := &tally{key: k, server: strings.Clone(server), next: first}
	t.took.counts = make([]uint64, len(r.bounds)+1)
	r.tallies[k] = t
	r.size++
	return t
}

// Overflowed is how many requests have an edge to others, because their peer was one too many.
func (r *Recorder) Overflowed() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.overflowed
}
