package odiglet

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/program"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/export"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/signal"
	"github.com/odi-dev/odi/odiglet/spans"
)

// served asks another server in each request, and says what it is told to say of its
// agent by keeping a file open, as agents do that cannot map one.
const served = `
import http.client, http.server, os, sys
port, upstream, folder, kept = int(sys.argv[1]), sys.argv[2], sys.argv[3], []
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        if self.path.startswith("/say/"):
            kept.append(os.open(folder + self.path[4:], os.O_RDONLY | os.O_CLOEXEC))
        else:
            c = http.client.HTTPConnection(upstream)
            c.request("GET", "/up")
            c.getresponse().read()
            c.close()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
`

// one selects a single process, for which an agent is wanted.
type one struct{ pid int }

func (o one) Select(p process.Process, _ bool) attach.Verdict {
	return attach.Verdict{Detect: p.PID == o.pid, Attach: p.PID == o.pid}
}

func (o one) Wanted() attach.Wanted {
	return attach.Wanted{Wanted: probe.Wanted{Names: []string{"python3"}}}
}

func (o one) Origin(p process.Process, _ language.Runtime, _ map[string]string) (spans.Origin, bool) {
	s := identity.Service{Name: "cart", InstanceID: "cart"}
	return spans.Origin{Service: s, Resource: s.ProcessResource(p.PID, p.Name()), Traces: true, Metrics: true, Agent: true}, true
}

// counting is a receiver that takes all.
type counting struct {
	export.Discard
	books *books.Books
}

func (c counting) Send(b signal.Batch) {
	if b.Signal == signal.Traces {
		c.books.Sent(b.Items)
	}
}

// stage is a real process with an agent's settings, watched by the real engine.
type stage struct {
	address string
	odiglet *Odiglet
	books   *books.Books
	agent   *handover.Process

	mu      sync.Mutex
	headers int // requests to the upstream that carried a traceparent
}

func newStage(t *testing.T) *stage {
	t.Helper()
	testkit.NeedRoot(t)
	s := &stage{books: books.New()}
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.Header.Get("Traceparent") != "" {
			s.headers++
		}
	}))
	t.Cleanup(up.Close)
	folder := filepath.Join(t.TempDir(), "odi/python/1/agent/state")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alive", "failed", "own-sdk"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	_ = l.Close() // only its address is of use
	_, port, _ := net.SplitHostPort(s.address)
	cmd := program.Command(t, "python3", "-c", served, port, up.Listener.Addr().String(), folder)
	cmd.Env = append(os.Environ(), "ODI_AGENT=python@1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	s.watch(t, cmd.Process.Pid)
	return s
}

func (s *stage) watch(t *testing.T, pid int) {
	t.Helper()
	o, err := Load(Options{Selector: one{pid}, Sink: counting{books: s.books}, Books: s.books, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.odiglet = o
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		b := o.Balance()
		if b.Queued != 0 || b.Seen != b.Sent+b.DroppedTotal() {
			t.Errorf("at the end the books say %+v", b)
		}
	})
	testkit.Eventually(t, 10*time.Second, "the process is a target with an agent", func() bool {
		if in := o.Manager().Instances(); len(in) == 1 && in[0].Attached {
			s.agent = in[0].Agent
		}
		return s.agent != nil
	})
	testkit.Eventually(t, 10*time.Second, "the process serves", func() bool {
		c, err := net.Dial("tcp", s.address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// get asks the process n times.
func (s *stage) get(t *testing.T, path string, n int) {
	t.Helper()
	for range n {
		r, err := http.Get("http://" + s.address + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
	}
}

// wantBooks waits until what was seen is settled like that.
func (s *stage) wantBooks(t *testing.T, sent, held, left uint64) {
	t.Helper()
	var b books.Balance
	ok := func() bool {
		b = s.odiglet.Balance()
		return b.Sent == sent && b.Queued == held && b.Dropped[loss.AgentReported] == left
	}
	for range 100 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("the books say %+v, want %d sent, %d held, %d left to the agent", b, sent, held, left)
}

func (s *stage) wantState(t *testing.T, want odiv1.AgentState) {
	t.Helper()
	testkit.Eventually(t, 5*time.Second, "the state is "+string(want), func() bool { return s.agent.State() == want })
}

func (s *stage) wantHeaders(t *testing.T, any bool) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if (s.headers > 0) != any {
		t.Errorf("%d requests carried a header of odi's", s.headers)
	}
}

// TestTheAgentReports once it is alive, and nothing of it is reported twice or gets a
// second header. Each request is a server's and a client's.
func TestTheAgentReports(t *testing.T) {
	s := newStage(t)
	s.get(t, "/one", 5)
	s.wantBooks(t, 0, 10, 0)
	s.get(t, "/say/alive", 1)
	s.wantState(t, odiv1.AgentAlive)
	s.get(t, "/two", 5)
	s.wantBooks(t, 0, 21, 0)
	s.agent.Vouch()
	s.wantBooks(t, 0, 0, 21)
	s.get(t, "/three", 5)
	s.wantBooks(t, 0, 0, 31)
	s.wantHeaders(t, false)
}

func TestAnAgentThatFailedGivesBack(t *testing.T) {
	s := newStage(t)
	s.get(t, "/one", 5)
	s.wantBooks(t, 0, 10, 0)
	s.wantHeaders(t, false)
	s.get(t, "/say/failed", 1)
	s.wantState(t, odiv1.AgentFailed)
	time.Sleep(200 * time.Millisecond) // the engine is told of the headers
	s.get(t, "/two", 5)
	s.wantBooks(t, 21, 0, 0)
	s.wantHeaders(t, true)
}

func TestAnAgentThatSeesNothingGivesBack(t *testing.T) {
	s := newStage(t)
	s.get(t, "/say/alive", 1)
	s.wantState(t, odiv1.AgentAlive)
	s.get(t, "/two", 20)
	s.wantBooks(t, 0, 41, 0)
	now := time.Now()
	if s.agent.Doubt(now.Add(-time.Hour), now.Add(5*time.Second)) || !s.agent.Doubt(now.Add(-time.Hour), now.Add(11*time.Second)) {
		t.Error("it is judged at the wrong time")
	}
	s.odiglet.Manager().Judged()
	s.wantBooks(t, 41, 0, 0)
	time.Sleep(500 * time.Millisecond) // the engine is told of the headers
	s.get(t, "/three", 5)
	s.wantBooks(t, 51, 0, 0)
	s.wantHeaders(t, true)
}

// TestNoWordIsNoAgent waits as long as requests are held.
func TestNoWordIsNoAgent(t *testing.T) {
	s := newStage(t)
	s.get(t, "/one", 5)
	s.wantBooks(t, 0, 10, 0)
	testkit.Eventually(t, 13*time.Second, "it is given up", func() bool { return s.agent.State() == odiv1.AgentFailed })
	s.wantBooks(t, 10, 0, 0)
}
