package graph

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/identity"
)

// known is a Directory of what is in it.
type known map[string]Answer

// Find implements Directory.
func (k known) Find(q Question) Answer { return k[q.Peer.String()] }

func service(name string) *identity.Service {
	return &identity.Service{Name: name, InstanceID: name + "-1", Party: identity.Party{Name: name, Namespace: "shop", Cluster: true}}
}

func end(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

func (r *Recorder) requests(n int, q Request) {
	q.Start, q.End = noon, noon.Add(20*time.Millisecond)
	for range n {
		r.Record(&q)
	}
}

// all are the four metrics, by "client>server".
func all(r *Recorder) map[string]map[string]uint64 {
	md, found := r.Collect(noon.Add(10*time.Second), true), map[string]map[string]uint64{}
	for _, metric := range []string{requestTotal, failedTotal, clientSeconds, serverSeconds} {
		found[metric] = map[string]uint64{}
		read(md, metric, found[metric])
	}
	return found
}

// TestTallies: requests that were counted in the kernel are the same as one by one.
func TestTallies(t *testing.T) {
	cart := service("cart")
	one := Request{Of: cart, Kind: probe.Client, Local: end("198.18.0.9:40000"), Peer: end("198.18.0.1:80"), Failed: true, Start: noon, End: noon.Add(20 * time.Millisecond)}
	many := one
	many.Tally = &probe.Tally{Took: probe.Histogram{Buckets: []uint64{0, 0, 3}, Count: 3, Sum: uint64(60 * time.Millisecond)}}
	told, counted := New(Options{Resource: lasting, Directory: Nobody{}}, noon), New(Options{Resource: lasting, Directory: Nobody{}}, noon)
	told.requests(3, one)
	counted.Record(&many)
	later := noon.Add(10 * time.Second)
	if want, got := told.Collect(later, true), counted.Collect(later, true); !reflect.DeepEqual(want, got) {
		t.Errorf("counted in the kernel %v, one by one %v", all(counted), all(told))
	}
}

// TestWhoCounts: a client counts what it asks, a server what those ask whom nobody looks at.
func TestWhoCounts(t *testing.T) {
	cart := service("cart")
	r := New(Options{Resource: lasting, Directory: known{
		"198.18.0.1": {State: Known, Party: service("stock").Party, Observed: true},
		"198.18.0.2": {State: Known, Party: service("redis").Party},
	}}, noon)
	client := Request{Of: cart, Kind: probe.Client, Local: end("198.18.0.9:40000")}
	server := Request{Of: cart, Kind: probe.Server, Local: end("198.18.0.9:80")}
	with := func(q Request, peer string, change func(*Request)) Request {
		q.Peer = end(peer)
		if change != nil {
			change(&q)
		}
		return q
	}
	r.requests(1, with(client, "198.18.0.1:80", func(q *Request) { q.Failed = true }))
	r.requests(2, with(client, "198.18.0.2:6379", func(q *Request) { q.Connection = probe.ConnectionDatabase }))
	r.requests(4, with(client, "198.18.0.3:443", func(q *Request) { q.Server = "API.example.com" }))
	r.requests(8, with(client, "198.18.0.4:5432", func(q *Request) { q.Server = "198.18.0.4" }))
	r.requests(16, with(client, "127.0.0.1:9000", nil))
	r.requests(32, with(server, "198.18.0.1:40000", nil))
	r.requests(64, with(server, "198.18.0.2:40000", nil))
	r.requests(128, with(server, "198.18.0.3:40000", func(q *Request) { q.Linked = true }))
	r.requests(256, with(server, "198.18.0.3:40001", nil))
	asked := map[string]uint64{"cart>stock": 1, "cart>redis": 2, "cart>api.example.com": 4, "cart>198.18.0.4:5432": 8, "cart>cart": 16}
	want := map[string]map[string]uint64{
		requestTotal:  {"cart>stock": 1, "cart>redis": 2, "cart>api.example.com": 4, "cart>198.18.0.4:5432": 8, "cart>cart": 16, "redis>cart": 64, "unknown>cart": 256},
		failedTotal:   {"cart>stock": 1, "cart>redis": 0, "cart>api.example.com": 0, "cart>198.18.0.4:5432": 0, "cart>cart": 0, "redis>cart": 0, "unknown>cart": 0},
		clientSeconds: asked,
		serverSeconds: {"cart>redis": 2, "cart>api.example.com": 4, "cart>198.18.0.4:5432": 8, "stock>cart": 32, "redis>cart": 64, "unknown>cart": 256 + 128},
	}
	if diff := cmp.Diff(want, all(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOnOneMachine: who has served at an address is known without a directory, if it is one.
func TestOnOneMachine(t *testing.T) {
	shop, cart, other := service("shop"), service("cart"), service("other")
	for _, s := range []*identity.Service{shop, cart, other} {
		s.SharesHost = true
	}
	r := New(Options{Resource: lasting, Directory: Nobody{}}, noon)
	pair := func(server *identity.Service, at string) {
		r.requests(3, Request{Of: shop, Kind: probe.Client, Local: end("127.0.0.1:40000"), Peer: end(at), Server: "localhost"})
		r.requests(3, Request{Of: server, Kind: probe.Server, Local: end(at), Peer: end("127.0.0.1:40000"), Linked: true})
	}
	pair(cart, "127.0.0.1:80")
	pair(cart, "127.0.0.1:81")
	pair(other, "127.0.0.1:81")
	want := map[string]uint64{"shop>cart": 3, "shop>localhost": 6}
	got := all(r)
	if diff := cmp.Diff(want, got[requestTotal]); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, got[serverSeconds]); diff != "" {
		t.Errorf("as servers saw them (-want +got):\n%s", diff)
	}
}

// TestMany are more addresses, names and edges than are told apart: no request is lost.
func TestMany(t *testing.T) {
	cart := service("cart")
	everybody := directory(func(q Question) Answer {
		return Answer{State: Known, Party: identity.Party{Name: q.Peer.String()}}
	})
	const requests = 20_000
	for name, d := range map[string]Directory{"known": everybody, "unknown": Nobody{}} {
		r := New(Options{Resource: lasting, Directory: d}, noon)
		for i := range requests {
			q := Request{Of: cart, Kind: probe.Kind(1 + i%2), Local: end("198.18.0.9:80"), Server: fmt.Sprint("s", i, ".example.com")}
			q.Peer = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 19, byte(i >> 9), byte(i >> 1)}), 443)
			r.requests(1, q)
		}
		if len(r.tallies) > MaxTallies+4 {
			t.Errorf("%s: %d tallies", name, len(r.tallies))
		}
		sum, got := uint64(0), all(r)[requestTotal]
		for _, n := range got {
			sum += n
		}
		if sum != requests || len(got) > MaxEdges+1 || r.Overflowed() == 0 {
			t.Errorf("%s: %d requests on %d edges, %d to others", name, sum, len(got), r.Overflowed())
		}
		r.Collect(noon.Add(20*time.Second), false)
		if len(r.tallies) > 0 || r.size != 0 {
			t.Errorf("%s: %d tallies are left, %d are counted", name, len(r.tallies), r.size)
		}
	}
}

type directory func(Question) Answer

// Find implements Directory.
func (d directory) Find(q Question) Answer { return d(q) }

// TestWaiting: requests of an address that may become known wait, and are counted when it has, or has not.
func TestWaiting(t *testing.T) {
	answer := Answer{State: Pending}
	r := New(Options{Resource: lasting, Directory: directory(func(Question) Answer { return answer })}, noon)
	q := Request{Of: service("cart"), Kind: probe.Client, Local: end("198.18.0.9:4000"), Peer: end("198.18.0.1:80"), Server: "stock"}
	count := func(want map[string]uint64) {
		t.Helper()
		got := map[string]uint64{}
		read(r.Collect(noon, false), requestTotal, got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	r.requests(1, q)
	count(map[string]uint64{})
	r.requests(1, q)
	answer = Answer{State: Known, Party: service("store").Party}
	count(map[string]uint64{"cart>store": 2})
	answer = Answer{State: Pending}
	r.requests(1, q)
	count(map[string]uint64{"cart>store": 2})
	count(map[string]uint64{"cart>store": 2})
	count(map[string]uint64{"cart>store": 2, "cart>stock": 1})
}

func BenchmarkRecord(b *testing.B) {
	for _, peers := range []int{1, 50} {
		b.Run(fmt.Sprint(peers, " peers"), func(b *testing.B) {
			r := New(Options{Resource: lasting, Directory: Nobody{}}, noon)
			all := make([]Request, peers)
			for i := range all {
				all[i] = Request{
					Of: service("cart"), Kind: probe.Client, Server: "stock.shop", Start: noon, End: noon.Add(20 * time.Millisecond),
					Local: end("198.18.0.9:4000"), Peer: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, 1, byte(i)}), 80),
				}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r.Record(&all[i%peers])
			}
		})
	}
}
