// Package roomtest watches real servers and clients in the tests of the rooms whose
// programs are apart.
package roomtest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
)

// quiet is how long nothing comes when all has come.
const quiet = 400 * time.Millisecond

// Seen is what an engine reports of one protocol, in the order in which it ended.
type Seen struct {
	// Engine is the engine, which belongs to the test.
	Engine *bpf.Engine

	protocol probe.Protocol
	also     []func(*probe.Exchange)
	mu       sync.Mutex
	spans    map[probe.Kind][]probe.Span
	last     time.Time
}

// Watch loads an engine that runs until the test ends. It skips a test on a kernel that
// cannot have the protocol, or without root; the latter fails in CI. What is seen is handed to
// also, too, one after the other.
func Watch(t *testing.T, protocol probe.Protocol, also ...func(*probe.Exchange)) *Seen {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out tests that need root")
	}
	if os.Geteuid() != 0 && os.Getenv("CI") != "true" {
		t.Skip("loading BPF programs needs root")
	}
	s := &Seen{protocol: protocol, also: also, spans: map[probe.Kind][]probe.Span{}}
	e := Load(t, s.add)
	s.Engine = e
	needSeen(t, e, protocol.Name)
	return s
}

// needSeen skips a test of what the engine says that this kernel is too old for, and fails it where
// it is not seen for another reason.
func needSeen(t *testing.T, e *bpf.Engine, what string) {
	t.Helper()
	for _, f := range e.Features() {
		if f.Name != probe.SocketSpans || !strings.Contains(f.Reason, what) {
			continue
		}
		if !strings.Contains(f.Reason, "needs Linux") {
			t.Fatalf("the programs of %s cannot be had: %s", what, f.Reason)
		}
		t.Skipf("this kernel: %s", f.Reason)
	}
}

// Load loads an engine that runs until the test ends, and hands over what it sees, one
// after the other. All protocols are there.
func Load(t *testing.T, handle func(*probe.Exchange)) *bpf.Engine {
	t.Helper()
	e, err := bpf.Load(bpf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, handle) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	e.AwaitProtocols()
	return e
}

// Target has the engine watch a process and its children.
func (s *Seen) Target(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := s.Engine.AddTarget(probe.Target{PID: uint32(cmd.Process.Pid), Propagate: true, Children: true}); err != nil {
		t.Fatal(err)
	}
}

func (s *Seen) add(x *probe.Exchange) {
	for _, also := range s.also {
		also(x)
	}
	if x.Protocol != s.protocol.Code {
		return
	}
	var span probe.Span
	s.protocol.Decode(x, &span)
	span.Name = strings.Clone(span.Name)
	for i := range span.Attributes {
		span.Attributes[i].Text = strings.Clone(span.Attributes[i].Text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spans[x.Kind] = append(s.spans[x.Kind], span)
	s.last = time.Now()
}

// Reset forgets what was seen, once nothing has come for a while.
func (s *Seen) Reset() {
	s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.spans)
}

// Spans returns those of one side, once nothing has come for a while.
func (s *Seen) Spans(kind probe.Kind) []probe.Span {
	s.wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spans[kind]
}

// comes is how long the first may take that a test knows to come: on a machine that does much else, longer than quiet.
const comes = 10 * time.Second

// AtLeast is Spans where it is known how many come. It returns fewer when they do not.
func (s *Seen) AtLeast(n int, kind probe.Kind) []probe.Span {
	for deadline := time.Now().Add(comes); time.Now().Before(deadline); time.Sleep(quiet / 8) {
		s.mu.Lock()
		have := len(s.spans[kind])
		s.mu.Unlock()
		if have >= n {
			break
		}
	}
	return s.Spans(kind)
}

// Counts counts the spans of one side by their names, with the code of their error.
func (s *Seen) Counts(kind probe.Kind) map[string]int {
	counts := map[string]int{}
	for _, span := range s.Spans(kind) {
		name := span.Name
		if code := Text(&span, "error.type"); code != "" {
			name += " " + code
		}
		counts[name]++
	}
	return counts
}

// Leaked returns the texts of both sides that hold what must not leave.
func (s *Seen) Leaked(secret string) []string {
	var leaked []string
	for _, kind := range []probe.Kind{probe.Client, probe.Server} {
		for _, span := range s.Spans(kind) {
			for _, a := range span.Attributes {
				if strings.Contains(a.Text, secret) {
					leaked = append(leaked, a.Key+": "+a.Text)
				}
			}
		}
	}
	return leaked
}

// Text returns a text among the attributes of a span, empty where there is none.
func Text(span *probe.Span, key string) string {
	for _, a := range span.Attributes {
		if a.Key == key {
			return a.Text
		}
	}
	return ""
}

// Number returns a number among the attributes of a span, 0 where there is none.
func Number(span *probe.Span, key string) int64 {
	for _, a := range span.Attributes {
		if a.Key == key {
			return a.Number
		}
	}
	return 0
}

// wait returns once nothing has come for a while.
func (s *Seen) wait() {
	for begin := time.Now(); ; time.Sleep(quiet / 8) {
		s.mu.Lock()
		last := s.last
		s.mu.Unlock()
		if time.Since(last) > quiet && time.Since(begin) > quiet {
			return
		}
	}
}
