package flows

import (
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/bpf/flow"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/spans"
)

// world is an engine and who its processes are.
type world struct {
	flows   map[flow.Key]*flow.Sums
	origins map[uint32]*spans.Origin
	dead    map[int]bool
	forgot  []flow.Key
}

func newWorld() *world {
	return &world{flows: make(map[flow.Key]*flow.Sums), origins: make(map[uint32]*spans.Origin), dead: make(map[int]bool)}
}

func (w *world) Flows() (all []flow.Flow, err error) {
	for k, s := range w.flows {
		all = append(all, flow.Flow{Key: k, Sums: *s})
	}
	return all, nil
}

func (w *world) ForgetFlow(k flow.Key) error {
	w.forgot = append(w.forgot, k)
	delete(w.flows, k)
	return nil
}

func (w *world) Origin(pid uint32) (*spans.Origin, bool) { o, ok := w.origins[pid]; return o, ok }

func (w *world) book(begin time.Time) *Book {
	return New(Options{Source: w, Origins: w, Lives: func(pid int) bool { return !w.dead[pid] }, Log: slog.New(slog.DiscardHandler)}, begin)
}

func (w *world) runs(pid uint32, name string) {
	w.origins[pid] = &spans.Origin{Service: identity.Service{Name: name, InstanceID: name + "-1"}, Metrics: true}
}

func client(pid uint32, peer string, port uint16) flow.Key {
	k := flow.Key{PID: pid, Port: port, Role: flow.Client, Family: 2}
	a := netip.MustParseAddr(peer).As4()
	copy(k.Peer[:], a[:])
	return k
}

// points reads back what was written: by service, metric and labels.
func points(md pmetric.Metrics) map[string]int64 {
	all := make(map[string]int64)
	for _, rm := range md.ResourceMetrics().All() {
		name, _ := rm.Resource().Attributes().Get("service.name")
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			if m.Type() == pmetric.MetricTypeHistogram {
				for _, p := range m.Histogram().DataPoints().All() {
					all[name.Str()+" "+m.Name()+labels(p.Attributes())] = int64(p.Count())
				}
				continue
			}
			for _, p := range m.Sum().DataPoints().All() {
				all[name.Str()+" "+m.Name()+labels(p.Attributes())] = p.IntValue()
			}
		}
	}
	return all
}

func labels(m pcommon.Map) (text string) {
	var keys []string
	for k := range m.All() {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		v, _ := m.Get(k)
		text += " " + v.AsString()
	}
	return text
}

func TestCollect(t *testing.T) {
	begin := time.Unix(1000, 0)
	w := newWorld()
	b := w.book(begin)
	w.runs(1, "shop")
	w.runs(2, "shop")
	to := client(1, "192.0.2.1", 443)
	w.flows[to] = &flow.Sums{Opened: 3, Sent: 10, Received: 20, Failed: [6]uint64{1, 2}, Resent: 4, ResetReceived: 1, RTTMicros: 500}
	w.flows[to].RTTs[2] = 3
	w.flows[client(2, "192.0.2.1", 443)] = &flow.Sums{Opened: 1, Sent: 5}
	w.flows[flow.Key{PID: 2, Port: 8080, Role: flow.Server}] = &flow.Sums{Opened: 7, TimedOut: 1}
	check := func(now time.Time, want map[string]int64) {
		t.Helper()
		got := points(b.Collect(now))
		for k, n := range want {
			if got[k] != n {
				t.Errorf("%s is %d, want %d", k, got[k], n)
			}
			delete(got, k)
		}
		for k, n := range got {
			t.Errorf("%s is %d, and was not asked for", k, n)
		}
	}
	want := map[string]int64{
		"shop odi.tcp.connections client 192.0.2.1 443":                        4,
		"shop odi.tcp.connections server 8080":                                 7,
		"shop odi.tcp.failed_connects connection_refused client 192.0.2.1 443": 1,
		"shop odi.tcp.failed_connects timeout client 192.0.2.1 443":            2,
		"shop odi.tcp.io transmit client 192.0.2.1 443":                        15,
		"shop odi.tcp.io receive client 192.0.2.1 443":                         20,
		"shop odi.tcp.resets receive client 192.0.2.1 443":                     1,
		"shop odi.tcp.retransmits client 192.0.2.1 443":                        4,
		"shop odi.tcp.timeouts server 8080":                                    1,
		"shop odi.tcp.rtt client 192.0.2.1 443":                                3,
	}
	check(begin.Add(10*time.Second), want)
	w.flows[to].Opened = 8
	want["shop odi.tcp.connections client 192.0.2.1 443"] = 9
	check(begin.Add(20*time.Second), want)

	// A process ends: its rows are taken out, what they have counted stays.
	w.dead[1] = true
	delete(w.flows, to)
	check(begin.Add(30*time.Second), want)
	w.dead[2] = true
	check(begin.Add(40*time.Second), want)
	check(begin.Add(50*time.Second), map[string]int64{})
	if len(w.forgot) != 2 || len(b.seen)+len(b.streams) != 0 {
		t.Errorf("forgot %v; left: %v %v", w.forgot, b.seen, b.streams)
	}
}

// TestNobodys are rows of processes that nobody knows, or not yet.
func TestNobodys(t *testing.T) {
	now := time.Unix(1000, 0)
	w := newWorld()
	b := w.book(now)
	late, never := client(1, "192.0.2.1", 80), client(2, "192.0.2.1", 80)
	w.flows[late], w.flows[never] = &flow.Sums{Opened: 3}, &flow.Sums{Opened: 5}
	b.Collect(now.Add(time.Second))
	w.runs(1, "late")
	for range 3 {
		now = now.Add(10 * time.Second)
		got := points(b.Collect(now))
		if len(got) != 1 || got["late odi.tcp.connections client 192.0.2.1 80"] != 3 {
			t.Errorf("got %v", got)
		}
	}
	if !slices.Equal(w.forgot, []flow.Key{never}) {
		t.Errorf("forgot %v", w.forgot)
	}
}

// TestManyPeers are more than are told apart: nothing is lost.
func TestManyPeers(t *testing.T) {
	now := time.Unix(1000, 0)
	w := newWorld()
	b := w.book(now)
	w.runs(1, "crawler")
	const peers = 5000
	for i := range peers {
		w.flows[client(1, netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}).String(), uint16(1000+i%7))] = &flow.Sums{Opened: 1}
	}
	got := points(b.Collect(now.Add(time.Second)))
	sum := int64(0)
	for _, n := range got {
		sum += n
	}
	if sum != peers || len(got) != MaxPeers+1 || got["crawler odi.tcp.connections client other"] != peers-MaxPeers {
		t.Errorf("%d series of %d connections; others: %d", len(got), sum, got["crawler odi.tcp.connections client other"])
	}
}

// TestAnotherResource begins the sums anew, later than anything before.
func TestAnotherResource(t *testing.T) {
	now := time.Unix(1000, 0)
	w := newWorld()
	b := w.book(now)
	w.runs(1, "shop")
	k := client(1, "192.0.2.1", 80)
	w.flows[k] = &flow.Sums{Opened: 3}
	b.Collect(now.Add(10 * time.Second))
	w.origins[1].Service.Version = "2"
	w.flows[k].Opened = 5
	md := b.Collect(now.Add(20 * time.Second))
	p := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum().DataPoints().At(0)
	if p.IntValue() != 2 || !p.StartTimestamp().AsTime().After(now.Add(10*time.Second)) {
		t.Errorf("%d since %v", p.IntValue(), p.StartTimestamp().AsTime())
	}
}
