package http2_test

import (
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// pairs keeps the requests of both sides by their path.
type pairs struct {
	mu  sync.Mutex
	was map[probe.Kind]map[string]probe.Exchange
}

func (p *pairs) add(x *probe.Exchange) {
	var span probe.Span
	for _, protocol := range protocols.All() {
		if protocol.Code == x.Protocol {
			protocol.Decode(x, &span)
		}
	}
	if span.Measured {
		return // no request, but a handshake
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.was[x.Kind] == nil {
		p.was[x.Kind] = map[string]probe.Exchange{}
	}
	p.was[x.Kind][strings.Clone(span.Path.Text)] = *x
}

func (p *pairs) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.was)
}

// judge counts the pairs that are one trace, those that are two, and those that are neither
// as they should be.
func (p *pairs) judge() (joined, apart, wrong int) {
	for path, c := range p.was[probe.Client] {
		s := p.was[probe.Server][path]
		switch {
		case s.TraceID == c.TraceID && s.ParentSpanID == c.SpanID && c.Injected:
			joined++
		case s.Link == probe.LinkNone && !c.Injected:
			apart++
		default:
			wrong++
		}
	}
	return joined, apart, wrong
}

// TestPropagation: requests arrive as they were sent, with the header of their span: the
// server's is its child.
func TestPropagation(t *testing.T) {
	for kind, least := range map[string]int{"http": 95, "grpc": 50} {
		t.Run(kind, func(t *testing.T) {
			bin, port := peer(t), loopback.Port(t)
			server := started(t, program.Command(t, bin, kind+"-server", "127.0.0.1:"+port))
			listens(t, "127.0.0.1:"+port)
			for _, parallel := range []int{1, 10, 100} {
				p := &pairs{was: map[probe.Kind]map[string]probe.Exchange{}}
				e := roomtest.Load(t, p.add)
				if err := e.AddTarget(probe.Target{PID: uint32(server.Process.Pid), Propagate: true}); err != nil {
					t.Fatal(err)
				}
				runs(t, e, program.Command(t, bin, kind+"-client", "127.0.0.1:"+port, "2000", strconv.Itoa(parallel)))
				p.mu.Lock()
				joined, apart, wrong := p.judge()
				t.Logf("%d at a time: %d and %d requests, %d joined, %d apart, %d wrong; losses %v",
					parallel, len(p.was[probe.Client]), len(p.was[probe.Server]), joined, apart, wrong, e.Drops())
				if len(p.was[probe.Client]) != 2000 || len(p.was[probe.Server]) != 2000 || wrong > 0 || joined < 2000*least/100 ||
					e.Drops()["header_not_written"] != uint64(apart) {
					t.Errorf("%d at a time: %d joined, %d apart, %d wrong; losses %v", parallel, joined, apart, wrong, e.Drops())
				}
				p.mu.Unlock()
			}
		})
	}
}

// TestOwnHeaders: a client that writes headers itself, even now and then, or the same one
// again, never gets a second one; its trace counts on both sides.
func TestOwnHeaders(t *testing.T) {
	bin, port := peer(t), loopback.Port(t)
	server := started(t, program.Command(t, bin, "http-server", "127.0.0.1:"+port))
	listens(t, "127.0.0.1:"+port)
	for _, parallel := range []string{"1", "10", "100"} {
		p := &pairs{was: map[probe.Kind]map[string]probe.Exchange{}}
		e := roomtest.Load(t, p.add)
		if err := e.AddTarget(probe.Target{PID: uint32(server.Process.Pid), Propagate: true}); err != nil {
			t.Fatal(err)
		}
		runs(t, e, program.Command(t, bin, "own-client", "127.0.0.1:"+port, "1000", parallel)) // fails with any other status
		p.mu.Lock()
		own, wrong := 0, 0
		for path, c := range p.was[probe.Client] {
			i, err := strconv.Atoi(path[strings.LastIndexByte(path, '/')+1:])
			s := p.was[probe.Server][path]
			if err != nil || s.TraceID != c.TraceID && (s.Link != probe.LinkNone || c.Injected) {
				wrong++
			}
			if i%4 != 3 {
				continue
			}
			own++
			if c.Injected || c.Link != probe.LinkHeader || c.ParentSpanID != s.ParentSpanID || c.TraceID[15] != byte(i/40+1) {
				wrong++
			}
		}
		if own != 250 || wrong > 0 {
			t.Errorf("%s at a time: of %d headers of the client's, and others, %d are wrong", parallel, own, wrong)
		}
		p.mu.Unlock()
	}
}

// runs has a client that waits watched, unless e is nil, and lets it run to its end.
func runs(t *testing.T, e *bpf.Engine, client *exec.Cmd) {
	t.Helper()
	begin, err := client.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	client.Stderr = &said
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	if e != nil {
		if err := e.AddTarget(probe.Target{PID: uint32(client.Process.Pid), Propagate: true}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(begin, "\n"); err != nil {
		t.Fatal(err)
	}
	if err := client.Wait(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	time.Sleep(500 * time.Millisecond)
}
