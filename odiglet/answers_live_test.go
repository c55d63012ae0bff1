package odiglet

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/program"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/answers"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/books"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/spans"
)

// brokenByItsAgent answers with 500 where it has one, which says nothing of how it started.
const brokenByItsAgent = `
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        self.send_response(500 if "ODI_AGENT" in os.environ else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
`

// pods selects the processes of a workload, some of which have an agent.
type pods struct {
	pids []int
	book *answers.Book
}

func (s pods) Select(p process.Process, _ bool) attach.Verdict {
	is := slices.Contains(s.pids, p.PID)
	return attach.Verdict{Detect: is, Attach: is}
}

func (s pods) Wanted() attach.Wanted {
	return attach.Wanted{Wanted: probe.Wanted{Names: []string{"python3"}}}
}

func (s pods) Origin(p process.Process, _ language.Runtime, env map[string]string) (spans.Origin, bool) {
	service := identity.Service{Name: "cart", InstanceID: p.String()}
	return spans.Origin{
		Service: service, Resource: service.ProcessResource(p.PID, p.Name()), Traces: true, Metrics: true, Agent: true,
		Answers: answers.Desk{Book: s.book, HasAgent: handover.AgentOf(env) != ""},
	}, true
}

// TestErrorsOfAnAgentAreCounted by the real engine, of real servers that are broken by it: one with the agent, whose
// requests nobody reports yet, and one without.
func TestErrorsOfAnAgentAreCounted(t *testing.T) {
	testkit.NeedRoot(t)
	selected := pods{book: new(answers.Book)}
	var addresses []string
	for _, env := range [][]string{{"ODI_AGENT=python@1"}, nil} {
		address, pid := startBroken(t, env)
		addresses, selected.pids = append(addresses, address), append(selected.pids, pid)
	}
	accounts := books.New()
	o, err := Load(Options{Selector: selected, Sink: counting{books: accounts}, Books: accounts, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	testkit.Eventually(t, 10*time.Second, "both are targets", func() bool {
		in := o.Manager().Instances()
		return len(in) == 2 && in[0].Attached && in[1].Attached && in[0].Detected && in[1].Detected
	})
	const each = 30
	for _, address := range addresses {
		for range each {
			r, err := http.Get("http://" + address + "/")
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
		}
	}
	var sum answers.Slice
	testkit.Eventually(t, 15*time.Second, "all are counted", func() bool {
		sum = answers.Slice{}
		for _, s := range selected.book.Over(time.Now()) {
			sum.Agent, sum.AgentFailed = sum.Agent+s.Agent, sum.AgentFailed+s.AgentFailed
			sum.Plain, sum.PlainFailed = sum.Plain+s.Plain, sum.PlainFailed+s.PlainFailed
		}
		return sum.Agent+sum.Plain == 2*each
	})
	if want := (answers.Slice{Agent: each, AgentFailed: each, Plain: each}); sum != want {
		t.Errorf("%+v, want %+v", sum, want)
	}
}

func startBroken(t *testing.T, env []string) (address string, pid int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	_ = l.Close() // only its address is of use
	_, port, _ := net.SplitHostPort(address)
	cmd := program.Command(t, "python3", "-c", brokenByItsAgent, port)
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	testkit.Eventually(t, 10*time.Second, "it serves", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return address, cmd.Process.Pid
}
