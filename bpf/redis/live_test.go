package redis_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/redis"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// seen is what an engine reports of one side, in the order of its end.
type seen struct {
	mu    sync.Mutex
	spans map[probe.Kind][]span
}

// span is what is asked of one.
type span struct {
	name string
	size int64
	code string
}

// watch loads an engine that watches processes until the test ends.
func watch(t *testing.T, pids ...int) (*seen, *bpf.Engine) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out tests that need root")
	}
	if os.Geteuid() != 0 && os.Getenv("CI") != "true" {
		t.Skip("loading BPF programs needs root")
	}
	e, err := bpf.Load(bpf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range e.Features() {
		if f.Name == probe.SocketSpans && strings.Contains(f.Reason, "redis") {
			t.Skipf("this kernel: %s", f.Reason)
		}
	}
	s := &seen{spans: map[probe.Kind][]span{}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, s.add) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, pid := range pids {
		if err := e.AddTarget(probe.Target{PID: uint32(pid), Propagate: true}); err != nil {
			t.Fatal(err)
		}
	}
	return s, e
}

// reset forgets what was seen.
func (s *seen) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.spans)
}

// add has an engine watch one more process.
func add(t *testing.T, e *bpf.Engine, cmd *exec.Cmd) {
	t.Helper()
	if err := e.AddTarget(probe.Target{PID: uint32(cmd.Process.Pid), Propagate: true}); err != nil {
		t.Fatal(err)
	}
}

func (s *seen) add(x *probe.Exchange) {
	if x.Protocol != redis.Protocol.Code {
		return
	}
	var read probe.Span
	redis.Decode(x, &read)
	is := span{name: read.Name, size: 1}
	for _, a := range read.Attributes {
		switch a.Key {
		case "db.operation.batch.size":
			is.size = a.Number
		case "error.type":
			is.code = strings.Clone(a.Text)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spans[x.Kind] = append(s.spans[x.Kind], is)
}

// commands counts those of one side, by the names of their spans, once they do not
// change any more.
func (s *seen) commands(kind probe.Kind) (total int64, by map[string]int64, spans []span) {
	for last, same := -1, 0; same < 5; time.Sleep(100 * time.Millisecond) {
		s.mu.Lock()
		n := len(s.spans[kind])
		s.mu.Unlock()
		if same++; n != last {
			last, same = n, 0
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	by = map[string]int64{}
	for _, is := range s.spans[kind] {
		total += is.size
		by[strings.TrimPrefix(is.name, "BATCH ")] += is.size
	}
	return total, by, s.spans[kind]
}

// startServer starts Redis and returns its address.
func startServer(t *testing.T) (port string, pid int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_, port, _ = net.SplitHostPort(addr)
	_ = l.Close()
	cmd := program.Command(t, "redis-server", "--port", port, "--save", "", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return port, cmd.Process.Pid
		}
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not listen")
		}
	}
}

// TestRealServer: every command that a real client sends to a real server is seen there,
// once, at 1, 10 and 100 connections, one by one and in pipelines.
func TestRealServer(t *testing.T) {
	port, pid := startServer(t)
	s, e := watch(t, pid)
	want := map[string]int64{}
	const times = 3200 // the client rounds up to whole pipelines
	for _, connections := range []int{1, 10, 100} {
		for _, depth := range []int{1, 16} {
			out, err := program.Command(t, "redis-benchmark", "-p", port, "-q", "-n", strconv.Itoa(times), "-c", strconv.Itoa(connections),
				"-P", strconv.Itoa(depth), "-d", "300", "-t", "set,get,incr,mset").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for _, name := range []string{"SET", "GET", "INCR", "MSET"} {
				want[name] += times
			}
		}
	}
	_, by, _ := s.commands(probe.Server)
	for name, n := range want {
		if by[name] != n {
			t.Errorf("%d commands %s were seen, want %d", by[name], name, n)
		}
	}
	if by["BATCH"] != 0 {
		t.Errorf("%d commands in pipelines of several kinds, where there were none", by["BATCH"])
	}
	t.Logf("seen: %v; losses: %v", by, e.Drops())
}

// TestConnectionsThatWereOpen: what was connected before its process was watched is
// seen from its next command on, and no reply is taken for one.
func TestConnectionsThatWereOpen(t *testing.T) {
	port, server := startServer(t)
	cmd := program.Command(t, "redis-benchmark", "-p", port, "-q", "-l", "-n", "1000", "-c", "10", "-r", "50", "-d", "300", "-t", "lpush,lrange_100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	time.Sleep(300 * time.Millisecond)
	s, e := watch(t, cmd.Process.Pid, server)
	time.Sleep(2 * time.Second)
	_ = cmd.Process.Kill()
	for _, kind := range []probe.Kind{probe.Client, probe.Server} {
		total, by, _ := s.commands(kind)
		delete(by, "LPUSH")
		delete(by, "LRANGE")
		delete(by, "CONFIG")
		if total < 1000 || len(by) > 0 {
			t.Errorf("%d commands were seen, also %v", total, by)
		}
	}
	if drops := e.Drops(); drops["unparsable"] > 0 {
		t.Errorf("losses: %v", drops)
	}
}

// TestRandomConversations: whatever is sent, in whatever pieces, each call that begins
// commands is one span with their number, their name and the code of their first error.
func TestRandomConversations(t *testing.T) {
	script := filepath.Join("testdata", "talk.py")
	s, e := watch(t)
	for seed := range 5 {
		s.reset()
		cmd := program.Command(t, "python3", script, strconv.Itoa(seed), "1500")
		begin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out, said strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		add(t, e, cmd)
		if _, err := io.WriteString(begin, "\n"); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		var calls [][2]json.RawMessage
		if err := json.Unmarshal([]byte(out.String()), &calls); err != nil {
			t.Fatal(err)
		}
		var want []span
		for _, call := range calls {
			want = append(want, spanOf(t, call))
		}
		if _, _, got := s.commands(probe.Client); cmp.Diff(want, got, cmp.AllowUnexported(span{})) != "" {
			t.Errorf("seed %d: %d spans of the client, want %d; losses %v (-want +got):\n%.1500s", seed, len(got), len(want), e.Drops(), cmp.Diff(want, got, cmp.AllowUnexported(span{})))
		}
		if total, _, _ := s.commands(probe.Server); total != 1500 {
			t.Errorf("seed %d: %d commands at the server, want 1500; losses %v", seed, total, e.Drops())
		}
	}
}

// spanOf is the span of one call: its names, and the code of its first error.
func spanOf(t *testing.T, call [2]json.RawMessage) span {
	t.Helper()
	var (
		names []string
		is    span
	)
	if err := json.Unmarshal(call[0], &names); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(call[1], &is.code); err != nil {
		t.Fatal(err)
	}
	is.size = int64(len(names))
	is.name = names[0]
	if is.size > 1 {
		is.name = "BATCH " + names[0]
	}
	for _, name := range names {
		if name != names[0] {
			is.name = "BATCH"
		}
	}
	return is
}

// TestASecondProtocolIsNoHTTP: what only begins like a command is no request, and the
// rest of its connection is left alone.
func TestASecondProtocolIsNoHTTP(t *testing.T) {
	s, e := watch(t)
	for _, first := range []string{"*\r\n", "*1\r\n+PING\r\n", "*2\r\n$x\r\n", "*0\r\n", "* FLAGS (\\Answered)\r\n", "*-1\r\n", "*9999999999\r\n", "*1\r\n$4\r\n    \r\n"} {
		t.Run(fmt.Sprintf("%q", first), func(t *testing.T) {
			cmd := program.Command(t, "python3", "-c", `import socket,sys
sys.stdin.readline()
l = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(l.getsockname())
s, _ = l.accept()
for data in (sys.argv[1].encode(), b"*1\r\n$4\r\nPING\r\n"):
    c.sendall(data)
    s.recv(1000)
    s.sendall(b"+OK\r\n")
    c.recv(1000)
`, first)
			begin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			s.reset()
			add(t, e, cmd)
			if _, err := io.WriteString(begin, "\n"); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			for _, kind := range []probe.Kind{probe.Client, probe.Server} {
				if n, by, _ := s.commands(kind); n != 0 {
					t.Errorf("%d commands were seen: %v; losses %v", n, by, e.Drops())
				}
			}
		})
	}
}
