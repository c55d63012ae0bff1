package redis_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/redis"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// span is what is asked of one.
type span struct {
	name string
	size int64
	code string
}

// spans reads those of one side.
func spans(s *roomtest.Seen, kind probe.Kind) (all []span) {
	for _, read := range s.Spans(kind) {
		all = append(all, span{read.Name, max(1, roomtest.Number(&read, "db.operation.batch.size")), roomtest.Text(&read, "error.type")})
	}
	return all
}

// commands counts those of one side, by the names of their spans.
func commands(s *roomtest.Seen, kind probe.Kind) (total int64, by map[string]int64) {
	by = map[string]int64{}
	for _, is := range spans(s, kind) {
		total += is.size
		by[strings.TrimPrefix(is.name, "BATCH ")] += is.size
	}
	return total, by
}

// startServer starts Redis and returns its address.
func startServer(t *testing.T) (port string, server *exec.Cmd) {
	t.Helper()
	addr := loopback.Address(t)
	_, port, _ = net.SplitHostPort(addr)
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
			return port, cmd
		}
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not listen")
		}
	}
}

// TestRealServer: every command that a real client sends to a real server is seen there,
// once, at 1, 10 and 100 connections, one by one and in pipelines.
func TestRealServer(t *testing.T) {
	port, server := startServer(t)
	s := roomtest.Watch(t, redis.Protocol)
	s.Target(t, server)
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
	_, by := commands(s, probe.Server)
	for name, n := range want {
		if by[name] != n {
			t.Errorf("%d commands %s were seen, want %d", by[name], name, n)
		}
	}
	if by["BATCH"] != 0 {
		t.Errorf("%d commands in pipelines of several kinds, where there were none", by["BATCH"])
	}
	t.Logf("seen: %v; losses: %v", by, s.Engine.Drops())
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
	s := roomtest.Watch(t, redis.Protocol)
	s.Target(t, cmd)
	s.Target(t, server)
	time.Sleep(2 * time.Second)
	_ = cmd.Process.Kill()
	for _, kind := range []probe.Kind{probe.Client, probe.Server} {
		total, by := commands(s, kind)
		delete(by, "LPUSH")
		delete(by, "LRANGE")
		delete(by, "CONFIG")
		if total < 1000 || len(by) > 0 {
			t.Errorf("%d commands were seen, also %v", total, by)
		}
	}
	if drops := s.Engine.Drops(); drops["unparsable"] > 0 {
		t.Errorf("losses: %v", drops)
	}
}

// TestRandomConversations: whatever is sent, in whatever pieces, each call that begins
// commands is one span with their number, their name and the code of their first error.
func TestRandomConversations(t *testing.T) {
	script := filepath.Join("testdata", "talk.py")
	s := roomtest.Watch(t, redis.Protocol)
	for seed := range 5 {
		s.Reset()
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
		s.Target(t, cmd)
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
		if got := spans(s, probe.Client); cmp.Diff(want, got, cmp.AllowUnexported(span{})) != "" {
			t.Errorf("seed %d: %d spans of the client, want %d; losses %v (-want +got):\n%.1500s", seed, len(got), len(want), s.Engine.Drops(), cmp.Diff(want, got, cmp.AllowUnexported(span{})))
		}
		if total, _ := commands(s, probe.Server); total != 1500 {
			t.Errorf("seed %d: %d commands at the server, want 1500; losses %v", seed, total, s.Engine.Drops())
		}
	}
}

// TestDeepPipelines keeps more calls in flight on one connection than are kept, all the time: each call is one span or
// counted, none has another's error, and what follows where there is room again is seen.
func TestDeepPipelines(t *testing.T) {
	port, _ := startServer(t)
	s := roomtest.Watch(t, redis.Protocol)
	const calls = 3000
	for _, deep := range []int{4, 16, 40} {
		t.Run(strconv.Itoa(deep), func(t *testing.T) {
			s.Reset()
			before := s.Engine.Drops()["pipelined"]
			cmd := program.Command(t, "python3", filepath.Join("testdata", "deep.py"), port, strconv.Itoa(deep), strconv.Itoa(calls))
			begin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			s.Target(t, cmd)
			if _, err := io.WriteString(begin, "\n"); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			seen := spans(s, probe.Client)
			for _, is := range seen {
				if want := (span{"GET", 1, ""}); is != want && is != (span{"LPUSH", 1, "WRONGTYPE"}) {
					t.Errorf("%+v is none of the calls", is)
				}
			}
			lost := int(s.Engine.Drops()["pipelined"] - before)
			if len(seen)+lost != calls {
				t.Errorf("%d spans and %d losses of %d calls", len(seen), lost, calls)
			}
			if least := calls * min(deep, 16) / deep * 3 / 4; len(seen) < least || deep <= 16 && lost > 0 {
				t.Errorf("%d spans of %d calls, want %d", len(seen), calls, least)
			}
			t.Logf("%d deep: %d spans of %d calls", deep, len(seen), calls)
		})
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
	s := roomtest.Watch(t, redis.Protocol)
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
			s.Reset()
			s.Target(t, cmd)
			if _, err := io.WriteString(begin, "\n"); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			for _, kind := range []probe.Kind{probe.Client, probe.Server} {
				if n, by := commands(s, kind); n != 0 {
					t.Errorf("%d commands were seen: %v; losses %v", n, by, s.Engine.Drops())
				}
			}
		})
	}
}
