package bpf_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"

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

// TestUnixSockets: no header can be written there; the kernel knows the peer. The
// server is woken by the first request's connection, and may be quicker than that
// request.
func TestUnixSockets(t *testing.T) {
	needRoot(t)
	client := overUnix(t, 1)
	r := record(t, uint32(os.Getpid()))
	for i := range 20 {
		get(t, client, fmt.Sprintf("http://app/%d", i))
	}
	bothSides(t, r, 20, false)
	if linked := linkedOver(t, r.waitFor(40)); linked < 19 && r.engine.Has("odi_waking") {
		t.Errorf("%d of 20 requests are linked", linked)
	}
}

// needProgram skips a test where the kernel lacks the tracepoint of a program, and fails
// where the program alone is missing.
func needProgram(t *testing.T, r *recorder, name, tracepoint string) {
	t.Helper()
	if r.engine.Has(name) {
		return
	}
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	var there *btf.Typedef
	if kernel.TypeByName("btf_trace_"+tracepoint, &there) == nil {
		t.Fatalf("this kernel has the tracepoint %s, and the program %s is not there", tracepoint, name)
	}
	t.Skipf("this kernel has no tracepoint %s", tracepoint)
}

// TestUnixSocketsThatComeLater: what looks at requests before they are read is not
// there until a target has a Unix socket. The first request calls it.
func TestUnixSocketsThatComeLater(t *testing.T) {
	needRoot(t)
	r := record(t, uint32(os.Getpid()))
	needProgram(t, r, "odi_waking", "sk_data_ready")
	if r.engine.Wakes() {
		t.Fatal("the program on every segment of the machine is attached, and no target has a Unix socket")
	}
	client := overUnix(t, 1)
	get(t, client, "http://app/first")
	for end := time.Now().Add(5 * time.Second); !r.engine.Wakes(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a target has had a request over a Unix socket, and the program is not attached")
		}
	}
	for i := range 20 {
		get(t, client, fmt.Sprintf("http://app/%d", i))
	}
	if linked := linkedOver(t, r.waitFor(42)); linked < 20 {
		t.Errorf("%d of the 20 requests after the first are linked", linked)
	}
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
			if linked := linkedOver(t, r.waitFor(2*requests)); linked < requests*99/100 && r.engine.Has("odi_waking") {
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

// TestUnixSocketsClosed: whoever closes a Unix socket, the requests that have no
// answer end on both sides, even where the kernel tells only the other side.
func TestUnixSocketsClosed(t *testing.T) {
	needRoot(t)
	closes := func(c net.Conn) { c.Close() }
	meetsTheEnd := func(c net.Conn) { _, _ = io.Copy(io.Discard, c); c.Close() }
	answers := func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		c.Close()
	}
	tests := map[string]struct {
		client, server func(net.Conn) // once the server has the request
		serverFirst    bool
		wantStatus     uint16
	}{
		"the server closes without an answer": {client: meetsTheEnd, server: closes, serverFirst: true},
		"the server dies inside its answer": {client: meetsTheEnd, serverFirst: true, wantStatus: http.StatusOK, server: func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart")
			c.Close()
		}},
		"the client leaves and the server reads on":   {client: closes, server: meetsTheEnd},
		"the client leaves and the server answers it": {client: closes, server: answers},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			client, server := unixPair(t)
			r := record(t, uint32(os.Getpid()))
			write(t, client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
			if _, err := server.Read(make([]byte, 1024)); err != nil {
				t.Fatal(err)
			}
			if tc.serverFirst {
				tc.server(server)
				tc.client(client)
			} else {
				tc.client(client)
				tc.server(server)
			}
			spans := r.waitFor(2)
			if len(spans) != 2 || spans[0].Kind == spans[1].Kind {
				t.Fatalf("%d spans, want one of either side (drops %v)", len(spans), r.engine.Drops())
			}
			for _, s := range spans {
				if s.Error != probe.ErrorClosed || s.StatusCode != tc.wantStatus {
					t.Errorf("the span of kind %v ended with %d %s", s.Kind, s.StatusCode, s.Error)
				}
			}
		})
	}
}

// unixPair returns both ends of a connection over a Unix socket.
func unixPair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "app.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("unix", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}
