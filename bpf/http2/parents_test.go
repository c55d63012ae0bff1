package http2_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// family keeps the requests of a hop: those that it serves, and those that it makes.
type family struct {
	mu     sync.Mutex
	served map[string]probe.Exchange // by path
	made   map[string]probe.Exchange
}

func (f *family) add(x *probe.Exchange) {
	var span probe.Span
	for _, p := range protocols.All() {
		if p.Code == x.Protocol {
			p.Decode(x, &span)
		}
	}
	if span.Measured {
		return // no request, but a handshake
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.Clone(span.Path.Text)
	if x.Kind == probe.Server {
		f.served[path] = *x
	} else {
		f.made[path] = *x
	}
}

// hops are servers that ask another one, and the share of what they ask for that has a parent.
var hops = map[string]struct {
	server, hop string
	least       float64
	own         bool // it calls for nobody, too
	tls         bool // it calls over TLS
}{
	// The library writes a request from a goroutine that it starts for it: where the handler
	// asks from goroutines of its own, that one's parent is not known.
	"http":                         {server: "http-server", hop: "hop", least: 0.225},
	"grpc":                         {server: "grpc-server", hop: "grpc-hop", least: 0.99, own: true},
	"grpc over TLS":                {server: "grpc-server", hop: "grpc-hop", least: 0.99, own: true, tls: true},
	"grpc that waits and gives up": {server: "grpc-narrow-server", hop: "grpc-hasty-hop", least: 0.99, own: true},
}

// TestParents: what a handler of Go's asks for by HTTP/2 is a child of the request that it
// serves, and never of another one, however many are under way; and what nobody has asked for
// has no parent. In gRPC's library one goroutine writes for all callers: they are tied to it by
// the frames that they hand over, of which some wait, and some are given up.
func TestParents(t *testing.T) {
	bin := peer(t)
	for name, tc := range hops {
		t.Run(name, func(t *testing.T) {
			port, next := loopback.Port(t), loopback.Port(t)
			var env []string
			if tc.tls {
				cert, key := roomtest.Certificate(t)
				env = []string{"PEER_CERTIFICATE=" + cert, "PEER_KEY=" + key}
			}
			asked := program.Command(t, bin, tc.server, "127.0.0.1:"+next)
			asked.Env = append(asked.Environ(), env...)
			started(t, asked)
			listens(t, "127.0.0.1:"+next)
			hop := program.Command(t, bin, tc.hop, "127.0.0.1:"+port, "127.0.0.1:"+next)
			hop.Env = append(append(hop.Environ(), "GOGC=5"), env...) // memory is soon used for something else
			server := started(t, hop)
			listens(t, "127.0.0.1:"+port)
			f := &family{served: map[string]probe.Exchange{}, made: map[string]probe.Exchange{}}
			e := roomtest.Load(t, f.add)
			if err := e.AddTarget(probe.Target{PID: uint32(server.Process.Pid), Propagate: true, Children: true}); err != nil {
				t.Fatal(err)
			}
			if tc.tls {
				roomtest.AwaitTLS(t, e, uint32(server.Process.Pid))
			}
			for _, parallel := range []int{1, 10, 100} {
				for _, parts := range []int{1, 3} {
					roomtest.Ask(t, 500, parallel, fmt.Sprintf("http://127.0.0.1:%s/%d/%d/", port, parts, parallel))
				}
			}
			time.Sleep(time.Second)
			j := f.judge()
			t.Logf("%d requests served, %+v; losses %v", len(f.served), j, e.Drops())
			if len(f.served) != 3000 || j.made < 6000 || j.wrong > 0 || float64(j.linked) < tc.least*float64(j.made) || (j.own > 100) != tc.own {
				t.Errorf("of %d requests %d are linked, %d to the wrong one; %d were served", j.made, j.linked, j.wrong, len(f.served))
			}
		})
	}
}

// judged are the requests that were made for one that was served, those whose parent is that
// one, those that were made for none, and those of all whose parent is not theirs. Without a
// parent may be what goroutines ask that were started for a stream which was given up:
// clients do so with every seventh.
type judged struct{ made, linked, own, wrong, givenUp int }

// judge looks whether the parent of a request is the one that was served under its path.
func (f *family) judge() (j judged) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, x := range f.made {
		path = path[strings.IndexByte(path[1:], '/')+1 : strings.LastIndexByte(path, '/')]
		up, isMade := f.served[path]
		if isMade {
			j.made++
		} else {
			j.own++
		}
		switch {
		case x.Link == probe.LinkNone:
			if n, err := strconv.Atoi(path[strings.LastIndexByte(path, '/')+1:]); isMade && err == nil && n%7 == 1 { // from 1 on
				j.givenUp++
			}
		case isMade && x.ParentSpanID == up.SpanID && x.TraceID == up.TraceID:
			j.linked++
		default:
			j.wrong++
		}
	}
	return j
}
