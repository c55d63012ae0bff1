package bpf_test

import (
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf/probe"
)

const longBody = 160 << 20

// longBodies is a server of long bodies. It stops reading where the connection must have left
// the socket map, and where it must be back, until it is so.
type longBodies struct {
	r      *recorder
	cookie atomic.Uint64 // of the client's connection
	bare   atomic.Int64  // requests that came without header
	left   atomic.Int64  // bodies during which the connection was out
	back   atomic.Int64  // ... and back before they ended
}

func (s *longBodies) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("traceparent") == "" {
		s.bare.Add(1)
	}
	sum := crc32.NewIEEE()
	if r.ContentLength == longBody {
		_, _ = io.CopyN(sum, r.Body, longBody/2) // the client hears of what is missing
		s.left.Add(s.become(false))
		_, _ = io.CopyN(sum, r.Body, longBody/2-16<<20)
		s.back.Add(s.become(true))
	}
	n, _ := io.Copy(sum, r.Body)
	_, _ = fmt.Fprintf(w, "%d %08x", n, sum.Sum32())
}

// become waits until the connection is in the map, or is not.
func (s *longBodies) become(in bool) int64 {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s.r.engine.InSocketMap(s.cookie.Load()) == in {
			return 1
		}
	}
	return 0
}

// noteCookie notes which connection a request goes over.
func (s *longBodies) noteCookie(info httptrace.GotConnInfo) {
	raw, err := info.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		cookie, _ := unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE)
		s.cookie.Store(cookie)
	})
}

func (s *longBodies) post(t *testing.T, url string, body io.Reader, length int64) string {
	t.Helper()
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: s.noteCookie}), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = length
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// TestLongBodiesLeaveTheSocketMap sends long bodies, and short requests right behind each: while
// a body goes over it the connection is out of the socket map, its bytes arrive as they are, and
// every request has its header and its span.
func TestLongBodiesLeaveTheSocketMap(t *testing.T) {
	needRoot(t)
	file := filepath.Join(t.TempDir(), "body")
	sum := crc32.NewIEEE()
	writeBody(t, file, sum)
	for name, write := range map[string]func(*os.File) io.Reader{
		"by write":    func(f *os.File) io.Reader { return struct{ io.Reader }{f} },
		"by sendfile": func(f *os.File) io.Reader { return f },
	} {
		t.Run(name, func(t *testing.T) {
			s := &longBodies{r: record(t, uint32(os.Getpid()))}
			server := httptest.NewServer(s)
			t.Cleanup(server.Close)
			t.Cleanup(http.DefaultClient.CloseIdleConnections)
			const bodies, short = 3, 20
			for i := range bodies {
				f, err := os.Open(file)
				if err != nil {
					t.Fatal(err)
				}
				got := s.post(t, server.URL+"/long", write(f), longBody)
				if want := fmt.Sprintf("%d %08x", 16<<20, sum.Sum32()); got != want {
					t.Errorf("body %d: %s bytes and sum at the end, want %s", i, got, want)
				}
				for n := range short {
					s.post(t, server.URL+"/short/"+strconv.Itoa(n), nil, 0)
				}
			}
			if s.left.Load() != bodies || s.back.Load() != bodies {
				t.Errorf("of %d bodies the connection left the map for %d, and was back with %d", bodies, s.left.Load(), s.back.Load())
			}
			if n := s.bare.Load(); n > 0 {
				t.Errorf("%d of %d requests came without header", n, bodies*(1+short))
			}
			spansOfBodies(t, s.r, bodies, bodies*short)
		})
	}
}

// writeBody writes a long body that does not repeat.
func writeBody(t *testing.T, name string, sum io.Writer) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(io.MultiWriter(f, sum), rand.New(rand.NewSource(1)), longBody); err != nil {
		t.Fatal(err)
	}
}

// spansOfBodies wants a client and a server span for each request, with the size of its body.
func spansOfBodies(t *testing.T, r *recorder, long, short int) {
	t.Helper()
	type kind struct {
		kind probe.Kind
		long bool
		body int64
	}
	got := map[kind]int{}
	for _, s := range r.waitFor(2 * (long + short)) {
		got[kind{s.Kind, s.path == "/long", s.RequestBodySize}]++
	}
	want := map[kind]int{}
	for _, side := range []probe.Kind{probe.Client, probe.Server} {
		want[kind{side, true, longBody}], want[kind{side, false, 0}] = long, short
	}
	if !maps.Equal(got, want) {
		t.Errorf("spans %v, want %v", got, want)
	}
}
