package http2_test

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

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

// free returns a port that nobody has.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// started starts a program that ends with the test.
func started(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// TestNghttpd: every request that h2load sends to nghttpd is seen there, once, at 1, 10
// and 100 connections with 1 and 32 streams at once.
func TestNghttpd(t *testing.T) {
	port := free(t)
	server := started(t, program.Command(t, "nghttpd", "--no-tls", "-d", t.TempDir(), port))
	listens(t, "127.0.0.1:"+port)
	s := roomtest.Watch(t, http2.Protocol)
	s.Target(t, server)
	const times = 3000
	want := 0
	for _, connections := range []int{1, 10, 100} {
		for _, streams := range []int{1, 32} {
			s.Reset()
			out, err := program.Command(t, "h2load", "-n", strconv.Itoa(times), "-c", strconv.Itoa(connections), "-m", strconv.Itoa(streams),
				fmt.Sprintf("http://127.0.0.1:%s/none?id=1", port)).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			want += times
			if got := s.Counts(probe.Server); got["GET"] != times || len(got) != 1 {
				t.Errorf("%d connections, %d streams: %v, want %d GET; losses %v", connections, streams, got, times, s.Engine.Drops())
			}
		}
	}
	for _, span := range s.Spans(probe.Server)[:1] {
		t.Logf("%+v", span)
	}
	t.Logf("losses: %v", s.Engine.Drops())
}
