package bpf_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// serveOK answers everything with 200 until the test ends.
func serveOK(t *testing.T, l net.Listener) {
	t.Helper()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
}

// bothSides fails unless each request has a span on either side, and the
// server's is the child of the client's.
func bothSides(t *testing.T, r *recorder, n int, linked bool) {
	t.Helper()
	spans := r.waitFor(2 * n)
	clients := map[string]span{}
	servers := map[string]span{}
	for _, s := range spans {
		if s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
			t.Errorf("%s ended with %d %s", s.path, s.StatusCode, s.Error)
		}
		if s.Kind == probe.Server {
			servers[s.path] = s
		} else {
			clients[s.path] = s
		}
	}
	if len(spans) != 2*n || len(servers) != n || len(clients) != n {
		t.Errorf("%d spans, of %d requests at servers and %d at clients, want %d of each (drops %v)", len(spans), len(servers), len(clients), n, r.engine.Drops())
	}
	for path, s := range servers {
		if c := clients[path]; linked && (s.ParentSpanID != c.SpanID || s.TraceID != c.TraceID) {
			t.Errorf("the parent of %s at the server is %x, the client's span is %x", path, s.ParentSpanID, c.SpanID)
		}
	}
}

// TestMultipathTCP: spans on both sides, and no header. Where MPTCP is switched off it
// is on in a network namespace of the test's own.
func TestMultipathTCP(t *testing.T) {
	needRoot(t)
	on, err := os.ReadFile(mptcpEnabled)
	if err != nil {
		t.Skipf("this kernel has no MPTCP (CONFIG_MPTCP): %v", err)
	}
	if strings.TrimSpace(string(on)) != "1" {
		inMultipathNamespace(t)
		return
	}
	listen := &net.ListenConfig{}
	listen.SetMultipathTCP(true)
	l, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOK(t, l)
	r := record(t, uint32(os.Getpid()))
	dialer := &net.Dialer{}
	dialer.SetMultipathTCP(true)
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	defer client.CloseIdleConnections()
	for i := range 20 {
		get(t, client, fmt.Sprintf("http://%s/%d", l.Addr(), i))
	}
	bothSides(t, r, 20, false)
	if got := r.engine.Drops()["header_impossible"]; got != 20 {
		t.Errorf("%d requests are counted as without header, want 20", got)
	}
}

// mptcpEnabled is of the network namespace of whoever reads it.
const mptcpEnabled = "/proc/sys/net/mptcp/enabled"

// inMultipathNamespace runs this test where MPTCP is switched on.
func inMultipathNamespace(t *testing.T) {
	t.Helper()
	program.Need(t, "sh")
	program.Need(t, "ip")
	script := "ip link set lo up && echo 1 >" + mptcpEnabled + ` && exec "$0" -test.run '^TestMultipathTCP$' -test.v`
	out, err := program.Command(t, "unshare", "-n", "sh", "-c", script, os.Args[0]).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestMultipathTCP") {
		t.Errorf("in a network namespace of its own: %v\n%s", err, out)
	}
}

// proxyHeaders are headers of the PROXY protocol, with the client that they name.
func proxyHeaders() map[string]string {
	binaryHeader := func(command, family byte, addresses ...byte) string {
		b := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, family)
		return string(append(binary.BigEndian.AppendUint16(b, uint16(len(addresses))), addresses...))
	}
	v6 := net.ParseIP("2001:db8::7")
	both6 := append(append(append([]byte{}, v6...), v6...), 1, 2, 3, 4)
	return map[string]string{
		"PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n": "203.0.113.7",
		"PROXY TCP6 2001:db8::7 2001:db8::8 56324 443\r\n":  "2001:db8::7",
		"PROXY UNKNOWN\r\n": "",
		binaryHeader(0x21, 0x11, 203, 0, 113, 7, 198, 51, 100, 1, 1, 2, 3, 4):                                         "203.0.113.7",
		binaryHeader(0x21, 0x11, append([]byte{203, 0, 113, 8, 198, 51, 100, 1, 1, 2, 3, 4}, make([]byte, 90)...)...): "203.0.113.8",
		binaryHeader(0x21, 0x21, both6...): "2001:db8::7",
		binaryHeader(0x20, 0x00):           "",
	}
}

// TestProxyProtocol sends each header in one piece with its request, and cut at
// every place.
func TestProxyProtocol(t *testing.T) {
	needRoot(t)
	addr := eachConnection(t, answerProxied)
	r := record(t, uint32(os.Getpid()))
	for header, want := range proxyHeaders() {
		for cut := 0; cut <= len(header); cut += 1 + len(header)/9 {
			r.reset()
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			replies := bufio.NewReader(c)
			request := "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
			write(t, c, header[:cut])
			time.Sleep(2 * time.Millisecond)
			write(t, c, header[cut:]+request)
			answered(t, replies)
			write(t, c, request)
			answered(t, replies)
			c.Close()
			spans := serverSpans(r, 2)
			if len(spans) != 2 {
				t.Fatalf("%q cut at %d: %d server spans, want 2 (drops %v)", header, cut, len(spans), r.engine.Drops())
			}
			for _, s := range spans {
				if len(s.Preface) < len(header) && len(s.Preface) < 52 || !strings.HasPrefix(string(s.Preface), header[:min(len(header), len(s.Preface), 52)]) {
					t.Errorf("%q cut at %d, client %s: the span comes with %q", header, cut, want, s.Preface)
				}
			}
		}
	}
}

func write(t *testing.T, w io.Writer, s string) {
	t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
}

func answered(t *testing.T, r *bufio.Reader) {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// answerProxied reads whatever comes up to each empty line behind a request, and
// answers it.
func answerProxied(c *net.TCPConn) {
	var got []byte
	for buf := make([]byte, 4096); ; {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		got = append(got, buf[:n]...)
		if strings.HasSuffix(string(got), "Host: x\r\n\r\n") {
			got = got[:0]
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}
}

// TestBodiesDroppedUnread: a server that drops a body by MSG_TRUNC gets the next
// request seen all the same.
func TestBodiesDroppedUnread(t *testing.T) {
	needRoot(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const body = 5000
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			return
		}
		for buf := make([]byte, 1024); ; {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			for left := body - (n - strings.Index(string(buf[:n]), "\r\n\r\n") - 4); left > 0; {
				_ = raw.Read(func(fd uintptr) bool {
					n, _, err := unix.Recvfrom(int(fd), make([]byte, left), unix.MSG_TRUNC)
					left -= max(n, 0)
					return err == nil
				})
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}()
	r := record(t, uint32(os.Getpid()))
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	replies := bufio.NewReader(c)
	for i := range 5 {
		write(t, c, fmt.Sprintf("POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", i, body))
		write(t, c, strings.Repeat("b", body))
		answered(t, replies)
	}
	if got := len(serverSpans(r, 5)); got != 5 {
		t.Errorf("%d server spans, want 5 (drops %v)", got, r.engine.Drops())
	}
}
