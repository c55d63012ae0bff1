package http2_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestMain is the guard's too: curl asks how much there is to read.
func TestMain(m *testing.M) {
	guard.Main()
	os.Exit(m.Run())
}

// listens waits for a server that a test has started.
func listens(t *testing.T, addr string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not listen")
		}
	}
}

// started starts a program that ends with the test, and with it its children: those of
// nginx outlive a killed master.
func started(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		_ = cmd.Wait()
	})
	return cmd
}

// TestNghttpd: every request that h2load sends to nghttpd is seen there, once, at 1, 10
// and 100 connections with 1 and 32 streams at once; and those of curl on both sides.
func TestNghttpd(t *testing.T) {
	port := loopback.Port(t)
	server := started(t, program.Command(t, "nghttpd", "--no-tls", "-d", t.TempDir(), port))
	listens(t, "127.0.0.1:"+port)
	s := roomtest.Watch(t, http2.Protocol)
	s.Target(t, server)
	const times = 3000
	for _, connections := range []int{1, 10, 100} {
		for _, streams := range []int{1, 32} {
			s.Reset()
			out, err := program.Command(t, "h2load", "-n", strconv.Itoa(times), "-c", strconv.Itoa(connections), "-m", strconv.Itoa(streams),
				fmt.Sprintf("http://127.0.0.1:%s/none?id=1", port)).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got := s.Counts(probe.Server); got["GET"] != times || len(got) != 1 {
				t.Errorf("%d connections, %d streams: %v, want %d GET; losses %v", connections, streams, got, times, s.Engine.Drops())
			}
		}
	}
	s.Reset()
	for i := range 20 {
		url := fmt.Sprintf("http://127.0.0.1:%s/none?id=%d", port, i)
		asks(t, s, program.Command(t, "sh", "-c", "read line; exec curl -sS --http2-prior-knowledge -o /dev/null "+url)) // one: of two, this curl fails the second
	}
	for _, kind := range []probe.Kind{probe.Client, probe.Server} {
		if got := s.Counts(kind); got["GET"]+got["GET 404"] != 20 || len(got) != 1 {
			t.Errorf("curl, side %d: %v, want 20 GET; losses %v", kind, got, s.Engine.Drops())
		}
	}
	t.Logf("losses: %v", s.Engine.Drops())
}

// asks starts a client that waits, has it watched, and lets it ask. It returns what the
// client says.
func asks(t *testing.T, s *roomtest.Seen, cmd *exec.Cmd) string {
	t.Helper()
	begin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
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
	return said.String()
}

// said lists what spans of one side say, sorted.
func said(s *roomtest.Seen, kind probe.Kind, say func(*probe.Span) string) (all []string) {
	for _, span := range s.Spans(kind) {
		all = append(all, say(&span))
	}
	slices.Sort(all)
	return all
}

// TestGoHTTP: every request between Go's client and server is one span on each side, with
// its path and its status, however many are under way.
func TestGoHTTP(t *testing.T) {
	bin, port := peer(t), loopback.Port(t)
	server := started(t, program.Command(t, bin, "http-server", "127.0.0.1:"+port))
	listens(t, "127.0.0.1:"+port)
	s := roomtest.Watch(t, http2.Protocol)
	s.Target(t, server)
	const times = 2000
	want := wantedPages(times)
	for _, parallel := range []int{1, 10, 100} {
		s.Reset()
		asks(t, s, program.Command(t, bin, "http-client", "127.0.0.1:"+port, strconv.Itoa(times), strconv.Itoa(parallel)))
		for _, kind := range []probe.Kind{probe.Client, probe.Server} {
			got := said(s, kind, sayPage)
			if diff := cmp.Diff(want[kind], got); diff != "" {
				t.Errorf("%d at a time, side %d: %d spans, want %d; losses %v (-want +got):\n%.1500s", parallel, kind, len(got), times, s.Engine.Drops(), diff)
			}
		}
	}
	t.Logf("losses: %v", s.Engine.Drops())
}

// TestGRPC: every call between grpc-go's client and server is one span on each side, with
// its method and status, be it unary or a stream.
func TestGRPC(t *testing.T) {
	bin, port := peer(t), loopback.Port(t)
	server := started(t, program.Command(t, bin, "grpc-server", "127.0.0.1:"+port))
	listens(t, "127.0.0.1:"+port)
	s := roomtest.Watch(t, http2.Protocol)
	s.Target(t, server)
	const times = 2000
	want := wantedCalls(times)
	for _, parallel := range []int{1, 10, 100} {
		s.Reset()
		asks(t, s, program.Command(t, bin, "grpc-client", "127.0.0.1:"+port, strconv.Itoa(times), strconv.Itoa(parallel)))
		for _, kind := range []probe.Kind{probe.Client, probe.Server} {
			got := said(s, kind, sayCall)
			if diff := cmp.Diff(want[kind], got); diff != "" {
				t.Errorf("%d at a time, side %d: %d spans, want %d; losses %v (-want +got):\n%.1500s", parallel, kind, len(got), times, s.Engine.Drops(), diff)
			}
		}
	}
	if leaked := s.Leaked("secret"); len(leaked) > 0 {
		t.Errorf("messages of errors have left the process: %v", leaked)
	}
	t.Logf("losses: %v", s.Engine.Drops())
}

// TestConnectionsThatWereOpen: what was connected before its process was watched is seen
// from a request on. What its head says in words is known, what it takes from before is
// counted, and nothing is made up.
func TestConnectionsThatWereOpen(t *testing.T) {
	bin, port := peer(t), loopback.Port(t)
	for _, kind := range []string{"http", "grpc"} {
		t.Run(kind, func(t *testing.T) {
			server := started(t, program.Command(t, bin, kind+"-server", "127.0.0.1:"+port))
			listens(t, "127.0.0.1:"+port)
			client := program.Command(t, bin, kind+"-client", "127.0.0.1:"+port, "10000000", "10")
			begin, err := client.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			started(t, client)
			if _, err := io.WriteString(begin, "\n"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond)
			s := roomtest.Watch(t, http2.Protocol)
			s.Target(t, client)
			s.Target(t, server)
			time.Sleep(2 * time.Second)
			_ = client.Process.Kill()
			for _, side := range []probe.Kind{probe.Client, probe.Server} {
				spans := s.Spans(side)
				odd, seen := 0, map[string]bool{}
				for i := range spans {
					path := spans[i].Path.Text
					if path == "" || seen[path] || kind == "grpc" && roomtest.Text(&spans[i], "rpc.method") == "" {
						odd++
					}
					seen[path] = true
				}
				t.Logf("side %d: %d spans, %d odd; losses %v", side, len(spans), odd, s.Engine.Drops())
				if len(spans) < 1000 || odd > len(spans)/10 {
					t.Errorf("side %d: %d spans, of %d no path, or one that another has, is known; losses %v", side, len(spans), odd, s.Engine.Drops())
				}
			}
		})
	}
}

// TestRandomConversations: whatever streams are under way, in whatever frames and pieces,
// each is one span on each side, with its path, its status and how it failed. All arrives as
// it was sent, but for headers of ours.
func TestRandomConversations(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "talk")
	if out, err := program.Command(t, "go", "build", "-o", bin, "./testdata/talk").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := roomtest.Watch(t, http2.Protocol)
	headers := 0
	for seed := range 8 {
		s.Reset()
		out := asks(t, s, program.Command(t, bin, strconv.Itoa(seed), "700"))
		want := map[probe.Kind][]string{}
		for line := range strings.Lines(out) {
			if strings.HasSuffix(line, " had a traceparent\n") {
				var n int
				if _, err := fmt.Sscan(line, &n); err != nil {
					t.Fatal(err)
				}
				headers += n
				continue
			}
			fields := strings.Split(strings.TrimSpace(line), "|")
			want[probe.Client] = append(want[probe.Client], fields[0]+" "+fields[1])
			want[probe.Server] = append(want[probe.Server], fields[0]+" "+fields[2])
		}
		for _, kind := range []probe.Kind{probe.Client, probe.Server} {
			got := said(s, kind, func(span *probe.Span) string {
				return fmt.Sprintf("%s %d %s", span.Path.Text, roomtest.Number(span, "http.response.status_code"), roomtest.Text(span, "error.type"))
			})
			slices.Sort(want[kind])
			if diff := cmp.Diff(want[kind], got); diff != "" || len(got) != 700 {
				t.Errorf("seed %d, side %d: %d spans, want 700; losses %v (-want +got):\n%.1500s", seed, kind, len(got), s.Engine.Drops(), diff)
			}
		}
	}
	if headers < 300 { // of those that left as whole frames
		t.Errorf("only %d requests had a header", headers)
	}
	t.Logf("%d requests had a header; losses %v", headers, s.Engine.Drops())
}
