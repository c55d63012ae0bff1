package kafka_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// family keeps the requests of a hop: those that it serves, and the records that it sends.
type family struct {
	mu     sync.Mutex
	served map[string]probe.Exchange // by topic
	sent   []probe.Exchange
	topics []string // of what was sent; empty: several
	failed map[string]int
}

func (f *family) add(x *probe.Exchange) {
	var span probe.Span
	for _, p := range protocols.All() {
		if p.Code == x.Protocol {
			p.Decode(x, &span)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case x.Kind == probe.Server:
		f.served[strings.Clone(strings.TrimPrefix(span.Path.Text, "/"))] = *x
	case strings.HasPrefix(span.Name, "send"):
		topic := strings.Clone(roomtest.Text(&span, "messaging.destination.name"))
		f.sent = append(f.sent, *x)
		f.topics = append(f.topics, topic)
		if reason := roomtest.Text(&span, "error.type"); reason != "" {
			f.failed[topic+" "+reason]++
		}
	}
}

// judge counts the requests whose parent is the one whose record they send, or another:
// one that sends those of several may have none.
func (f *family) judge() (linked, wrong int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, x := range f.sent {
		up := f.served[f.topics[i]]
		switch {
		case x.Link == probe.LinkNone:
		case f.topics[i] != "" && x.ParentSpanID == up.SpanID && x.TraceID == up.TraceID:
			linked++
		default:
			wrong++
		}
	}
	return linked, wrong
}

// TestParents: a record that a handler of Go's sends is a child of the request that it
// serves, or of none, and never of another one. The library keeps records, and sends them
// from goroutines of its own, those of several handlers together.
func TestParents(t *testing.T) {
	for _, parallel := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(parallel), func(t *testing.T) {
			const times = 300
			broker, port := loopback.Port(t), loopback.Port(t)
			started(t, broker, peer(t, "broker", broker, times+1))
			server := started(t, port, peer(t, "hop", "127.0.0.1:"+broker, port))
			f := &family{served: map[string]probe.Exchange{}, failed: map[string]int{}}
			e := roomtest.Load(t, f.add)
			if err := e.AddTarget(probe.Target{PID: uint32(server.Process.Pid), Propagate: true, Children: true}); err != nil {
				t.Fatal(err)
			}
			roomtest.Ask(t, times, parallel, "http://127.0.0.1:"+port+"/t")
			refused(t, "http://127.0.0.1:"+port+"/t0")
			time.Sleep(time.Second)
			linked, wrong := f.judge()
			t.Logf("%d requests served, %d sent, %d linked, %d wrong, failed: %v; losses %v", len(f.served), len(f.sent), linked, wrong, f.failed, e.Drops())
			if len(f.served) != times+1 || len(f.sent) == 0 || wrong > 0 {
				t.Errorf("of %d requests %d are linked, %d to the wrong one; %d were served", len(f.sent), linked, wrong, len(f.served))
			}
			if parallel == 1 && len(f.sent) != times+1 {
				t.Errorf("%d were sent, want %d", len(f.sent), times+1)
			}
			if f.failed["t0 TOPIC_AUTHORIZATION_FAILED"] != 1 || len(f.failed) != 1 {
				t.Errorf("what the broker refuses: %v", f.failed)
			}
		})
	}
}

// refused has a hop send a record that the broker refuses.
func refused(t *testing.T, url string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadGateway {
		t.Errorf("what the broker refuses: %s", resp.Status)
	}
}
