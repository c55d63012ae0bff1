package bpf_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
)

// overUnix serves on a Unix socket and returns a client that connects to it.
func overUnix(t *testing.T, connections int) *http.Client {
	t.Helper()
	name := filepath.Join(t.TempDir(), "app.sock")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	serveOK(t, l)
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", name)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestUnixSockets: no header can be written there; the kernel knows the peer.
func TestUnixSockets(t *testing.T) {
	needRoot(t)
	client := overUnix(t, 1)
	r := record(t, uint32(os.Getpid()))
	for i := range 20 {
		get(t, client, fmt.Sprintf("http://app/%d", i))
	}
	bothSides(t, r, 20, true)
}

// TestUnixSocketsUnderLoad: a server may read a request before the client's program
// has run. Then it has no parent, never another.
func TestUnixSocketsUnderLoad(t *testing.T) {
	needRoot(t)
	const requests = 2000
	for _, width := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			client := overUnix(t, width)
			r := record(t, uint32(os.Getpid()))
			var all sync.WaitGroup
			for i := range width {
				all.Go(func() {
					for n := range requests / width {
						get(t, client, fmt.Sprintf("http://app/%d-%d", i, n))
					}
				})
			}
			all.Wait()
			bothSides(t, r, requests, false)
			if linked := linkedOver(t, r.waitFor(2*requests)); linked < requests*99/100 {
				t.Errorf("%d of %d requests are linked", linked, requests)
			} else {
				t.Logf("%d of %d requests are linked", linked, requests)
			}
		})
	}
}

// linkedOver counts the servers' spans with a parent, which must be the client's.
func linkedOver(t *testing.T, spans []span) (linked int) {
	t.Helper()
	clients := map[string]span{}
	for _, s := range spans {
		if s.Kind == probe.Client {
			clients[s.path] = s
		}
	}
	for _, s := range spans {
		if s.Kind != probe.Server || s.ParentSpanID == [8]byte{} {
			continue
		}
		linked++
		if c := clients[s.path]; s.ParentSpanID != c.SpanID || s.TraceID != c.TraceID {
			t.Errorf("the parent of %s at the server is %x, the client's span is %x", s.path, s.ParentSpanID, c.SpanID)
		}
	}
	return linked
}
