package bpf_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// The tests in this file watch the test process itself: it is both the client
// and the server of every conversation.

var traceparentLine = regexp.MustCompile(`(?i)traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\r\n`)

// sink accepts connections and hands over every byte of each message, whose
// length the test tells it.
type sink struct {
	listener net.Listener
	slow     bool
}

func newSink(t *testing.T) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return &sink{listener: l}
}

// readMessage reads one request with Content-Length and returns its bytes.
func readMessage(r *bufio.Reader, slow bool) ([]byte, error) {
	var raw bytes.Buffer
	length := 0
	for {
		line, err := r.ReadString('\n')
		raw.WriteString(line)
		if err != nil {
			return raw.Bytes(), err
		}
		_, _ = fmt.Sscanf(strings.ToLower(line), "content-length: %d", &length)
		if line == "\r\n" {
			break
		}
	}
	for length > 0 {
		n, err := io.CopyN(&raw, r, int64(min(length, 4096)))
		if err != nil {
			return raw.Bytes(), err
		}
		length -= int(n)
		if slow {
			time.Sleep(time.Millisecond)
		}
	}
	return raw.Bytes(), nil
}

// TestBytesArriveAsSent sends requests of every size in every kind of pieces:
// the peer gets exactly these bytes and at most one header more.
func TestBytesArriveAsSent(t *testing.T) {
	needRoot(t)
	s := newSink(t)
	record(t, uint32(os.Getpid()))
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewSource(seed))
	got := make(chan []byte)
	go func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReaderSize(c, 1<<17)
				for {
					msg, err := readMessage(r, s.slow)
					if err != nil {
						return
					}
					got <- msg
					if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
						return
					}
				}
			}()
		}
	}()
	injected, total := 0, 0
	for conn := range 40 {
		c, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if conn%4 == 1 {
			_ = c.(*net.TCPConn).SetWriteBuffer(4096)
		}
		s.slow = conn%8 == 1
		replies := bufio.NewReader(c)
		for range 25 {
			sent := message(rnd)
			if err := writePieces(c, sent, rnd); err != nil {
				t.Fatal(err)
			}
			arrived := <-got
			bare := traceparentLine.ReplaceAll(arrived, nil)
			if n := len(traceparentLine.FindAll(arrived, -1)); n > 1 {
				t.Fatalf("%d headers in a message of %d bytes", n, len(sent))
			} else if n == 1 {
				injected++
			}
			total++
			if !bytes.Equal(bare, sent) {
				t.Fatalf("connection %d: a message of %d bytes arrived as %d other bytes", conn, len(sent), len(bare))
			}
			resp, err := http.ReadResponse(replies, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		c.Close()
	}
	t.Logf("%d of %d messages got a header", injected, total)
	if injected < total/4 {
		t.Error("hardly any message got a header")
	}
}

// message is a POST of up to 64 KiB, its head of up to 3 KiB.
func message(rnd *rand.Rand) []byte {
	var b bytes.Buffer
	body := make([]byte, rnd.Intn(64<<10))
	if rnd.Intn(3) == 0 {
		body = body[:rnd.Intn(min(len(body), 200)+1)]
	}
	rnd.Read(body)
	fmt.Fprintf(&b, "POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", rnd.Int63(), len(body))
	for range rnd.Intn(8) {
		fmt.Fprintf(&b, "X-Filler: %s\r\n", strings.Repeat("f", rnd.Intn(400)))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// writePieces writes msg in one to six pieces, every now and then byte by byte.
func writePieces(c net.Conn, msg []byte, rnd *rand.Rand) error {
	if rnd.Intn(12) == 0 {
		for i := range min(len(msg), 300) {
			if _, err := c.Write(msg[i : i+1]); err != nil {
				return err
			}
		}
		msg = msg[min(len(msg), 300):]
	}
	if rnd.Intn(4) == 0 { // one writev
		var bufs net.Buffers
		for len(msg) > 0 {
			n := 1 + rnd.Intn(len(msg))
			bufs = append(bufs, msg[:n])
			msg = msg[n:]
		}
		_, err := bufs.WriteTo(c)
		return err
	}
	for pieces := 1 + rnd.Intn(6); len(msg) > 0; pieces-- {
		n := len(msg)
		if pieces > 1 {
			n = 1 + rnd.Intn(len(msg))
		}
		if _, err := c.Write(msg[:n]); err != nil {
			return err
		}
		msg = msg[n:]
	}
	return nil
}

// talk opens a connection to addr, sends the pieces one write each and returns
// everything that comes back until the server closes or is quiet.
func talk(t *testing.T, addr string, pieces ...string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var out []byte
	buf := make([]byte, 64<<10)
	for _, p := range pieces {
		if _, err := io.WriteString(c, p); err != nil {
			break // the server had enough
		}
		if strings.Contains(p, "\r\nUpgrade: ") { // the next piece is another protocol's, once this is answered
			n, _ := c.Read(buf)
			out = append(out, buf[:n]...)
		}
		// A long piece is answered before the next is sent, also on an emulated machine.
		time.Sleep(time.Millisecond + time.Duration(len(p))*time.Microsecond)
	}
	for {
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond)) // of silence
		n, err := c.Read(buf)
		out = append(out, buf[:n]...)
		if err != nil {
			return string(out)
		}
	}
}

func letters(s string) []string { return strings.Split(s, "") }

// TestFraming has conversations of every kind with net/http and looks at the
// server's spans: one for each request, none for anything else.
func TestFraming(t *testing.T) {
	needRoot(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	})
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 200 {
			_, _ = io.WriteString(w, strings.Repeat("x", i%40+1))
			if i%3 == 0 {
				w.(http.Flusher).Flush()
			}
		}
	})
	mux.HandleFunc("/none", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	mux.HandleFunc("/upgrade", func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\nGET /not-http HTTP/1.1\r\n\r\n")
		_ = rw.Flush()
		_, _ = rw.ReadString('!')
	})
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux, MaxHeaderBytes: 1 << 20}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	addr := l.Addr().String()
	r := record(t, uint32(os.Getpid()))

	const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	post := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world"
	closing := "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	type want struct {
		path   string
		status uint16
		err    probe.ErrorKind
	}
	ok := want{"/", 200, 0}
	tests := map[string]struct {
		pieces []string
		want   []want
	}{
		"keep-alive":                        {[]string{get, get, get}, []want{ok, ok, ok}},
		"a request byte by byte":            {letters(get), []want{ok}},
		"a body byte by byte":               {letters(post), []want{ok}},
		"a head in two pieces":              {[]string{get[:20], get[20:]}, []want{ok}},
		"a head split inside its end":       {[]string{get[:len(get)-1], get[len(get)-1:]}, []want{ok}},
		"pipelined requests in one write":   {[]string{get + post + "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"}, []want{ok, ok, {"/none", 204, 0}}},
		"a chunked request":                 {[]string{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "6;x=y\r\n world\r\n0\r\nT: v\r\n\r\n" + get}, []want{ok, ok}},
		"a chunked request byte by byte":    {letters("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + closing), []want{ok, ok}},
		"more chunks than are looked at":    {[]string{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 400) + "0\r\n\r\n", closing}, []want{ok, ok}},
		"a chunked response":                {[]string{"GET /chunked HTTP/1.1\r\nHost: x\r\n\r\n", closing}, []want{{"/chunked", 200, 0}, ok}},
		"no content":                        {[]string{"GET /none HTTP/1.1\r\nHost: x\r\n\r\n" + get}, []want{{"/none", 204, 0}, ok}},
		"HEAD has a length and no body":     {[]string{"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", get}, []want{ok, ok}},
		"100 Continue":                      {[]string{"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", "hi", get}, []want{ok, ok}},
		"a big response":                    {[]string{"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"}, []want{{"/big", 200, 0}}},
		"HTTP/1.0 ends with the connection": {[]string{"GET / HTTP/1.0\r\n\r\n"}, []want{ok}},
		"an upgrade ends at its answer":     {[]string{"GET /upgrade HTTP/1.1\r\nHost: x\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n", "GET /not-http HTTP/1.1\r\n\r\n!"}, []want{{"/upgrade", 101, 0}}},
		"an aborted response":               {[]string{"GET /abort HTTP/1.1\r\nHost: x\r\n\r\n"}, []want{{"/abort", 0, probe.ErrorClosed}}},
		"a head of 6 KB":                    {[]string{"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Long: "+strings.Repeat("y", 90)+"\r\n", 60) + "\r\n", get}, []want{ok, ok}},
		"one header line of 20 KB":          {[]string{"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + strings.Repeat("c", 20000) + "\r\n\r\n", get}, []want{ok, ok}},
		"a body that looks like a request":  {[]string{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 28\r\n\r\n", "GET /fake HTTP/1.1\r\nHost: x\r\n", get}, []want{ok, ok}},
		"binary noise":                      {[]string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x00\x00"}, nil},
		"a method and noise":                {[]string{"GET \x00\xff\xfe\r\n\r\n\r\n"}, nil},
		"HTTP/2 with prior knowledge":       {[]string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x00\x00\x00\x04\x00\x00\x00\x00\x00"}, nil},
		"another protocol with capitals":    {[]string{"SSH-2.0-OpenSSH_9\r\n"}, nil},
		"a request line and nothing more":   {[]string{"GET / HTTP/1.1\r\nHost: x\r\n"}, nil},
		"empty lines before a request":      {[]string{"\r\n\r\n" + get}, []want{{"/", 400, 0}}}, // net/http takes none
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r.reset()
			talk(t, addr, tc.pieces...)
			var got []want
			for _, s := range serverSpans(r, len(tc.want)) {
				got = append(got, want{s.path, s.StatusCode, s.Error})
			}
			if fmt.Sprint(got) != fmt.Sprint(tc.want) {
				t.Errorf("got %v, want %v (drops %v)", got, tc.want, r.engine.Drops())
			}
		})
	}
}

// serverSpans waits for n spans of the server side.
func serverSpans(r *recorder, n int) []span {
	var found []span
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		found = nil
		for _, s := range r.all() {
			if s.Kind == probe.Server {
				found = append(found, s)
			}
		}
		if len(found) >= n && time.Now().After(deadline.Add(-1900*time.Millisecond)) || time.Now().After(deadline) {
			return found
		}
	}
}
