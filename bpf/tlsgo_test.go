package bpf_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/http1"
	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// tlsHop builds the program that asks over TLS, stripped.
func tlsHop(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "tlshop")
	cmd := program.Command(t, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "./testdata/tlshop")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the test application: %v: %s", err, out)
	}
	return bin
}

// TestGoOverTLS: a server of Go's asks another one, both over TLS, and the test asks it. Each request has
// both sides, with its own path, and what the first asks for is a child of what it serves.
func TestGoOverTLS(t *testing.T) {
	needRoot(t)
	bin := tlsHop(t)
	cert, key := roomtest.Certificate(t)
	for _, version := range []string{"1.2", "1.3"} {
		for _, protocol := range []string{"h1", "mixed", "h2"} {
			t.Run(version+" "+protocol, func(t *testing.T) {
				front, back := loopback.Address(t), loopback.Address(t)
				second := start(t, back, bin, back, "-", cert, key, version, strings.Replace(protocol, "mixed", "h2", 1))
				first := start(t, front, bin, front, "https://"+back, cert, key, version, protocol)
				r := record(t, first, second)
				roomtest.AwaitTLS(t, r.engine, first, second)
				for _, width := range []int{1, 10, 100} {
					client := tlsClient(t, cert, width)
					client.Transport.(*http.Transport).ForceAttemptHTTP2 = protocol == "h2"
					r.reset()
					const n = 500
					mark := fmt.Sprintf("go%d-", width)
					stormWith(t, client, "https://"+front+"/"+mark, n, width)
					judgeGo(t, r, mark, n, goHop{first, protocol})
				}
			})
		}
	}
}

// goHop is the server that asks the other one.
type goHop struct {
	pid      uint32
	protocol string
}

// judgeGo wants three spans of each path, and a parent for what the first asks for.
func judgeGo(t *testing.T, r *recorder, mark string, n int, first goHop) {
	t.Helper()
	spans := r.waitFor(3 * n)
	found := judge(t, spans)
	seen := map[string]int{}
	for _, s := range spans {
		seen[s.path]++
		room := http2.Protocol.Code
		if first.protocol == "h1" || first.protocol == "mixed" && s.PID == first.pid && s.Kind == probe.Server {
			room = http1.Protocol.Code
		}
		if !s.TLS || s.Protocol != room || s.StatusCode != http.StatusOK || !s.Peer.IsValid() || !s.Local.IsValid() || s.Error != probe.ErrorNone {
			t.Fatalf("%+v", s)
		}
	}
	for i := range n {
		if path := fmt.Sprintf("/%s%d", mark, i); seen[path] != 3 {
			t.Errorf("%s has %d spans (lost: %v)", path, seen[path], r.engine.Drops())
		}
	}
	l := found[first.pid]
	if l == nil || l.client != n || float64(l.linked) < 0.99*float64(n) {
		t.Errorf("%s: want %d requests, linked; got %+v", mark, n, l)
	}
	t.Logf("%s: %d of %d linked", mark, l.linked, n)
}

// TestGoOverTLSBodies: what is sent and received in many records, and by connections that break.
func TestGoOverTLSBodies(t *testing.T) {
	needRoot(t)
	bin := tlsHop(t)
	cert, key := roomtest.Certificate(t)
	addr := loopback.Address(t)
	server := start(t, addr, bin, addr, "-", cert, key, "1.3", "h1")
	r := record(t, server)
	roomtest.AwaitTLS(t, r.engine, server)
	client := tlsClient(t, cert, 10)
	want := map[string]int64{}
	for i, size := range []int{0, 1, 16383, 16384, 16385, 100_000, 3_000_000} {
		path := fmt.Sprintf("/body%d", i)
		resp, err := client.Post(fmt.Sprintf("https://%s%s?size=%d", addr, path, size), "text/plain", io.MultiReader(strings.NewReader(strings.Repeat("y", size))))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		want[path] = int64(len(body))
		if line := fmt.Sprintf("HTTP/1.1 %s %d\n", path, size); !strings.HasPrefix(string(body), line) || len(body) != len(line)+size {
			t.Errorf("want %q and %d bytes, got %d", line, size, len(body))
		}
	}
	for _, s := range r.waitFor(len(want)) {
		path, _, _ := strings.Cut(s.path, "?")
		if want[path] != s.ResponseBodySize || s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
			t.Errorf("%s: %d bytes, want %d; status %d, %v", path, s.ResponseBodySize, want[path], s.StatusCode, s.Error)
		}
		delete(want, path)
	}
	if len(want) > 0 {
		t.Errorf("nothing was seen of %v", want)
	}
}

// TestGoJoinedMidway: sessions that were open before, and have been idle since.
func TestGoJoinedMidway(t *testing.T) {
	needRoot(t)
	bin := tlsHop(t)
	cert, key := roomtest.Certificate(t)
	front, back := loopback.Address(t), loopback.Address(t)
	second := start(t, back, bin, back, "-", cert, key, "1.3", "h1")
	first := start(t, front, bin, front, "https://"+back, cert, key, "1.3", "h1")
	client := tlsClient(t, cert, 10)
	stormWith(t, client, "https://"+front+"/before", 100, 10)
	r := record(t, first, second)
	roomtest.AwaitTLS(t, r.engine, first, second)
	stormWith(t, client, "https://"+front+"/after", 500, 10)
	judgeGo(t, r, "after", 500, goHop{first, "h1"})
}
