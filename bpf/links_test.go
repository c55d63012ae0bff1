package bpf_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// share returns the share of a process's client spans that have a parent.
func (l *links) share() float64 { return float64(l.linked) / float64(max(l.client, 1)) }

// TestRewritingProxy asks many at once through a proxy that changes the path, so
// that an outgoing request does not look like the one that came in.
func TestRewritingProxy(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "rewrite", "direct")
	r := record(t, pids...)
	storm(t, base, "warm", 100, 20)
	r.waitFor(300)
	r.reset()
	const n = 1000
	storm(t, base, "m", n, 20)
	spans := r.waitFor(3 * n)
	if len(spans) != 3*n {
		t.Errorf("%d spans, want %d", len(spans), 3*n)
	}
	found, sum := judge(t, spans), links{}
	for _, pid := range pids[1:] {
		if l := found[pid]; l != nil {
			sum.client += l.client
			sum.linked += l.linked
		}
	}
	if sum.share() < 0.9 {
		t.Errorf("the proxy links %.3f of its requests, want 0.9", sum.share())
	}
}

// TestProxiesWithSamePaths asks for one path many times at once, so that only
// the proxy itself knows which request it forwards.
func TestProxiesWithSamePaths(t *testing.T) {
	needRoot(t)
	tests := map[string]struct {
		kind       string
		wantLinked float64
	}{
		"nginx turns to one request after another": {"nginx", 0.99},
		"HAProxy receives many, then forwards":     {"haproxy", 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			base, pids := chain(t, tc.kind, "direct")
			r := record(t, pids...)
			const n = 500
			traces := askFromPorts(t, strings.TrimPrefix(base, "http://"), n, 40)
			spans := r.waitFor(3 * n)
			if len(spans) != 3*n {
				t.Errorf("%d spans, want %d", len(spans), 3*n)
			}
			if linked := judgePorts(t, spans, traces, pids[0]); float64(linked) < tc.wantLinked*n {
				t.Errorf("%d of %d are linked, want a share of %.2f", linked, n, tc.wantLinked)
			}
		})
	}
}

// askFromPorts asks n times, width at a time, from a port of its own each time,
// and returns the traceparent that the last hop saw, by port.
func askFromPorts(t *testing.T, addr string, n, width int) map[uint16]string {
	t.Helper()
	traces := map[uint16]string{}
	var mu sync.Mutex
	var clients sync.WaitGroup
	next := make(chan int)
	for range width {
		clients.Go(func() {
			for range next {
				port, trace, err := askFromPort(addr)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				traces[port] = trace
				mu.Unlock()
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	clients.Wait()
	return traces
}

func askFromPort(addr string) (port uint16, trace string, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, "", fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET /same?sleep=3ms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return 0, "", fmt.Errorf("asking: %w", err)
	}
	answer, err := io.ReadAll(conn)
	found := seenTrace.FindSubmatch(answer)
	if err != nil || found == nil {
		return 0, "", errors.Join(fmt.Errorf("answered with %q", answer), err)
	}
	return netip.MustParseAddrPort(conn.LocalAddr().String()).Port(), string(found[1]), nil
}

// seenTrace finds the span id in what a hop answers.
var seenTrace = regexp.MustCompile(`\[00-[0-9a-f]{32}-([0-9a-f]{16})-01\]`)

// judgePorts fails the test for every client span, named by a traceparent, that
// is not below the server span of the port which it was sent for, and returns
// how many are. The process last is the hop behind the proxy.
func judgePorts(t *testing.T, spans []span, traces map[uint16]string, last uint32) (linked int) {
	t.Helper()
	servers, clients := map[uint16]span{}, map[string]span{}
	for _, s := range spans {
		switch {
		case s.PID == last: // its peers are ports of the proxy
		case s.Kind == probe.Client:
			clients[fmt.Sprintf("%x", s.SpanID)] = s
		default:
			servers[s.Peer.Port()] = s
		}
	}
	for port, trace := range traces {
		c, known := clients[trace]
		switch {
		case !known:
			t.Errorf("port %d: the last hop saw the unknown span %s", port, trace)
		case c.ParentSpanID == servers[port].SpanID:
			linked++
		case c.ParentSpanID != [8]byte{}:
			t.Errorf("port %d: wrong parent", port)
		}
	}
	return linked
}

// TestLateGoroutines has goroutines that outlive the request which started them
// and ask when the connection may already carry the next one.
func TestLateGoroutines(t *testing.T) {
	needRoot(t)
	tests := map[string]string{
		"ask after the answer":                       "/a%d",
		"ask for the first time in the next request": "/b%d?sleep=30ms",
	}
	for name, path := range tests {
		t.Run(name, func(t *testing.T) {
			base, pids := chain(t, "late", "direct")
			r := record(t, pids...)
			var clients sync.WaitGroup
			for c := range 4 {
				clients.Go(func() {
					client := &http.Client{Transport: &http.Transport{}}
					defer client.CloseIdleConnections()
					for i := range 30 {
						get(t, client, base+fmt.Sprintf(path, 100*c+i))
					}
				})
			}
			clients.Wait()
			judge(t, r.waitFor(360))
		})
	}
}

// TestPoolsOutliveRequests has a pool whose threads were started by requests,
// which they outlive: no thread works for the request that started it.
func TestPoolsOutliveRequests(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "executor", "direct")
	r := record(t, pids...)
	storm(t, base, "plain", 200, 20) // a thread per request: earns trust
	r.waitFor(600)
	r.reset()
	storm(t, base, "m", 400, 32)
	spans := r.waitFor(1200)
	if len(spans) != 1200 {
		t.Errorf("%d spans, want 1200", len(spans))
	}
	judge(t, spans)
}

// TestLateThreads has a thread of a pool that asks after the answer, while only
// another request is open, which had overlapped with its own.
func TestLateThreads(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "late-threads", "direct")
	r := record(t, pids...)
	for i := range 20 {
		var other sync.WaitGroup
		other.Go(func() { get(t, http.DefaultClient, fmt.Sprintf("%s/slow%d", base, i)) })
		time.Sleep(10 * time.Millisecond)
		get(t, http.DefaultClient, fmt.Sprintf("%s/quick%d", base, i))
		other.Wait()
	}
	judge(t, r.waitFor(4*20))
}

// TestBackgroundWork has a thread that asks on its own account, also while
// exactly one request is open.
func TestBackgroundWork(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "background", "direct")
	r := record(t, pids...)
	time.Sleep(100 * time.Millisecond)
	for i := range 20 {
		get(t, http.DefaultClient, fmt.Sprintf("%s/m%d", base, i))
		time.Sleep(5 * time.Millisecond)
	}
	spans := r.all()
	judge(t, spans)
	own := 0
	for _, s := range spans {
		if s.Kind == probe.Client && strings.HasPrefix(s.mark(), "m") && s.ParentSpanID != ([8]byte{}) {
			own++
		}
	}
	if own < 18 {
		t.Errorf("%d of 20 requests are linked with what they asked", own)
	}
}

// TestUpgradeThroughProxy upgrades connections through a proxy: from then on
// not a byte may be lost or kept back.
func TestUpgradeThroughProxy(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "nginx", "upgrade")
	record(t, pids...)
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for range 3 {
				if err := listen(strings.TrimPrefix(base, "http://"), 2000); err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
}

// listen upgrades a connection and reads the numbers that follow.
func listen(addr string, count int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return fmt.Errorf("setting a deadline: %w", err)
	}
	if _, err := fmt.Fprintf(conn, "GET /upgrade HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: counting\r\n\r\n"); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	lines := bufio.NewReader(conn)
	if status, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(status, "HTTP/1.1 101 ") {
		return errors.Join(fmt.Errorf("not upgraded: %q", status), err)
	}
	for line := ""; line != "\r\n"; {
		if line, err = lines.ReadString('\n'); err != nil {
			return fmt.Errorf("reading the head: %w", err)
		}
	}
	for i := range count {
		line, err := lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("reading number %d: %w", i, err)
		}
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err != nil || n != i {
			return fmt.Errorf("read %q instead of %d", line, i)
		}
	}
	return nil
}
