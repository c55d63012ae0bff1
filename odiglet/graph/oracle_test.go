package graph

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/identity"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// world is a cluster whose nodes know only what they must.
type world struct {
	random *rand.Rand
	now    time.Time
	pods   []*madePod
	tenant map[netip.Addr][]tenure
	nodes  []*Recorder
	free   []netip.Addr
	slow   bool // answers may take their time, and not come at all
}

type madePod struct {
	service  *identity.Service
	address  netip.Addr
	node     int
	observed bool
}

// tenure is who had an address since when.
type tenure struct {
	pod   *madePod
	since time.Time
}

func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 1)), now: noon, tenant: map[netip.Addr][]tenure{}}
	for i := range 30 {
		w.free = append(w.free, netip.AddrFrom4([4]byte{198, 18, 0, byte(i + 1)}))
	}
	for range 3 {
		w.nodes = append(w.nodes, New(Options{Directory: w, Resource: lasting}, noon))
	}
	for range 20 {
		w.start()
	}
	return w
}

func lasting(of identity.Key) (pcommon.Resource, bool) {
	r := pcommon.NewResource()
	r.Attributes().PutStr("service.name", of.Name)
	return r, true
}

// start makes a pod of one of ten workloads, the even ones of which are observed.
func (w *world) start() {
	n := w.random.IntN(10)
	name := fmt.Sprint("w", n)
	at := w.random.IntN(len(w.free))
	p := &madePod{
		service: &identity.Service{Name: name, InstanceID: fmt.Sprint(len(w.tenant), w.now), Party: identity.Party{Name: name, Namespace: "shop", Cluster: true}},
		address: w.free[at], node: w.random.IntN(len(w.nodes)), observed: n%2 == 0,
	}
	w.free = append(w.free[:at], w.free[at+1:]...)
	w.pods = append(w.pods, p)
	w.tenant[p.address] = append(w.tenant[p.address], tenure{p, w.now})
}

// replace ends a pod, and starts another, which may get its address at once.
func (w *world) replace() {
	i := w.random.IntN(len(w.pods))
	w.free = append(w.free, w.pods[i].address)
	w.pods = append(w.pods[:i], w.pods[i+1:]...)
	w.start()
}

// Find implements Directory.
func (w *world) Find(q Question) Answer {
	if w.slow && w.random.IntN(3) > 0 {
		return Answer{State: State(w.random.IntN(2))}
	}
	var had []tenure
	for _, t := range w.tenant[q.Peer] {
		if t.since.Before(q.First) {
			had = had[:0]
		}
		if !t.since.After(q.Last) {
			had = append(had, t)
		}
	}
	if len(had) != 1 {
		return Answer{}
	}
	return Answer{State: Known, Party: had[0].pod.service.Party, Observed: had[0].pod.observed}
}

// ask sends a request, which both ends record that are observed, and says who was between whom.
func (w *world) ask(connection probe.Connection) (edge string, seen bool) {
	client, server := w.pods[w.random.IntN(len(w.pods))], w.pods[w.random.IntN(len(w.pods))]
	if client == server {
		return "", false
	}
	w.now = w.now.Add(time.Millisecond)
	q := Request{
		Connection: connection, Start: w.now, Server: "somebody.shop", Failed: w.random.IntN(10) == 0,
		Linked: client.observed && connection == probe.ConnectionService,
	}
	w.now = w.now.Add(time.Duration(w.random.IntN(20)) * time.Millisecond)
	q.End = w.now
	from, to := netip.AddrPortFrom(client.address, uint16(30000+w.random.IntN(30000))), netip.AddrPortFrom(server.address, 8080)
	if client.observed {
		c := q
		c.Of, c.Kind, c.Local, c.Peer, c.Linked = client.service, probe.Client, from, to, false
		w.nodes[client.node].Record(&c)
	}
	if server.observed {
		s := q
		s.Of, s.Kind, s.Local, s.Peer = server.service, probe.Server, to, from
		w.nodes[server.node].Record(&s)
	}
	return client.service.Name + ">" + server.service.Name, client.observed || server.observed
}

// read sums up a metric by client>server.
func read(md pmetric.Metrics, metric string, into map[string]uint64) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Name() != metric {
				continue
			}
			if m.Type() == pmetric.MetricTypeHistogram {
				for _, p := range m.Histogram().DataPoints().All() {
					into[ends(p.Attributes())] += p.Count()
				}
				continue
			}
			for _, p := range m.Sum().DataPoints().All() {
				into[ends(p.Attributes())] += uint64(p.IntValue())
			}
		}
	}
}

func ends(labels pcommon.Map) string {
	client, _ := labels.Get("client")
	server, _ := labels.Get("server")
	return client.Str() + ">" + server.Str()
}

// TestEachRequestIsCountedOnce has pods come and go, with the addresses of others, and ask each other, some
// of them observed: each request that anybody saw is counted once, whoever knows whom, and no edge has more
// than was asked between its ends. Of statements, which carry no header, that needs a directory that knows.
func TestEachRequestIsCountedOnce(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(seed)
		w.slow = seed%2 == 1
		truth, sent := map[string]uint64{}, uint64(0)
		got := map[string]uint64{}
		for i := range 3000 {
			connection := probe.ConnectionService
			if !w.slow && w.random.IntN(4) == 0 && i%100 > 2 {
				connection = probe.ConnectionDatabase
			}
			if i%100 == 0 {
				for _, n := range w.nodes {
					n.Collect(w.now, false)
				}
				w.now = w.now.Add(time.Second)
				for range w.random.IntN(3) {
					w.replace()
				}
			}
			if w.slow && i%37 == 0 {
				w.replace()
			}
			if edge, seen := w.ask(connection); seen {
				truth[edge]++
				sent++
			}
		}
		for _, n := range w.nodes {
			read(n.Collect(w.now, true), requestTotal, got)
		}
		total, named := uint64(0), uint64(0)
		for edge, n := range got {
			if total += n; strings.Contains(edge, nobody) || strings.Contains(edge, "somebody") {
				continue
			}
			if named += n; n > truth[edge] {
				t.Errorf("seed %d: %s has %d requests, and was asked %d times", seed, edge, n, truth[edge])
			}
		}
		if total != sent {
			t.Errorf("seed %d: %d requests were seen, and %d counted: %v", seed, sent, total, maps.Collect(maps.All(got)))
		}
		if !w.slow && named != sent {
			t.Errorf("seed %d: of %d requests %d have both ends", seed, sent, named)
		}
		if w.slow && (named == 0 || named == sent) {
			t.Errorf("seed %d: of %d requests %d have both ends: nothing was tried", seed, sent, named)
		}
	}
}
