package flows

import (
	"cmp"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/flow"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/spans"
)

const (
	// MaxPeers bounds the addresses that the clients of a service instance are told apart by.
	// What is beyond them is summed up as "other".
	MaxPeers = 200
	// MaxSeries bounds the peers with their ports in the same way.
	MaxSeries = 500
	// unknownTurns is for how many collections a process may be nobody's: it may be looked into.
	unknownTurns = 3
)

// Source is where sums come from: the engine.
type Source interface {
	// Flows returns all of them; they grow until they are forgotten.
	Flows() ([]flow.Flow, error)
	// ForgetFlow begins one anew.
	ForgetFlow(flow.Key) error
}

// Options are what a book needs.
type Options struct {
	Source  Source
	Origins spans.Origins
	// Lives says whether a process is still a target.
	Lives func(pid int) bool
	Log   *slog.Logger
}

// Book holds the sums of all service instances. It may be used by several goroutines.
type Book struct {
	Options

	mu      sync.Mutex
	seen    map[flow.Key]*entry
	streams map[identity.Key]*stream
	ofPID   map[uint32]*stream // during a collection
	since   time.Time          // of the latest collection
	turn    uint64
}

// entry is what was taken of a process and a peer already.
type entry struct {
	sums    flow.Sums
	unknown int // collections in a row that nobody knew the process
}

// stream is what a service instance counts under one resource.
type stream struct {
	resource pcommon.Resource
	start    time.Time
	series   map[label]*flow.Sums
	peers    map[netip.Addr]bool
	turn     uint64 // when a process of it was last there
}

// label tells the series of a service instance apart.
type label struct {
	role flow.Role
	peer netip.Addr // invalid: of servers, and of all that are others
	port uint16     // 0: any
}

func (l label) compare(o label) int {
	return cmp.Or(cmp.Compare(l.role, o.role), l.peer.Compare(o.peer), cmp.Compare(l.port, o.port))
}

// New returns a book whose first sums start now.
func New(o Options, now time.Time) *Book {
	return &Book{Options: o, seen: make(map[flow.Key]*entry), streams: make(map[identity.Key]*stream), since: now}
}

// Collect takes what is new, and returns all series as cumulative sums.
func (b *Book) Collect(now time.Time) pmetric.Metrics {
	all, err := b.Source.Flows()
	if err != nil {
		b.Log.Debug("how connections are doing is not known", "error", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.since) {
		now = b.since
	}
	b.turn++
	b.ofPID = make(map[uint32]*stream)
	there := make(map[flow.Key]bool, len(all))
	for _, f := range all {
		there[f.Key] = true
		b.take(f)
	}
	for key := range b.seen {
		if !there[key] {
			delete(b.seen, key)
		}
	}
	md := write(b.streams, now)
	for of, s := range b.streams {
		if s.turn != b.turn {
			delete(b.streams, of) // it was written once more
		}
	}
	b.since = now.Add(1) // a start time must not come again
	return md
}

// take adds what a process and a peer have done since the collection before.
func (b *Book) take(f flow.Flow) {
	known := b.seen[f.Key]
	if known == nil {
		known = &entry{}
		b.seen[f.Key] = known
	}
	news := f.Sums.Since(known.sums)
	origin, ok := b.Origins.Origin(f.Key.PID)
	if !ok {
		if known.unknown++; known.unknown >= unknownTurns {
			b.forget(f.Key)
		}
		return
	}
	known.unknown = 0
	known.sums = f.Sums
	if !origin.Metrics {
		return
	}
	if news == (flow.Sums{}) && !b.Lives(int(f.Key.PID)) {
		b.forget(f.Key)
		return
	}
	s := b.streamOf(f.Key.PID, origin)
	s.turn = b.turn
	s.of(f.Key).Add(news)
}

func (b *Book) forget(k flow.Key) {
	if err := b.Source.ForgetFlow(k); err != nil {
		b.Log.Debug("connections of a process that has ended stay in the table", "error", err)
		return
	}
	delete(b.seen, k)
}

// streamOf finds or begins the stream of a process; with another resource it begins anew.
func (b *Book) streamOf(pid uint32, origin *spans.Origin) *stream {
	if s := b.ofPID[pid]; s != nil {
		return s
	}
	of, resource := origin.Service.Key(), origin.Service.Resource()
	if s := b.streams[of]; s != nil && s.resource.Attributes().Equal(resource.Attributes()) {
		b.ofPID[pid] = s
		return s
	}
	s := &stream{resource: resource, start: b.since, series: make(map[label]*flow.Sums), peers: make(map[netip.Addr]bool)}
	b.streams[of], b.ofPID[pid] = s, s
	return s
}

// of finds or begins a series.
func (s *stream) of(k flow.Key) *flow.Sums {
	l := label{role: k.Role, peer: k.Address(), port: k.Port}
	if l.peer.IsValid() && !s.peers[l.peer] {
		if len(s.peers) >= MaxPeers {
			l = label{role: k.Role}
		} else {
			s.peers[l.peer] = true
		}
	}
	if s.series[l] == nil && len(s.series) >= MaxSeries {
		l = label{role: k.Role}
	}
	if s.series[l] == nil {
		s.series[l] = &flow.Sums{}
	}
	return s.series[l]
}
