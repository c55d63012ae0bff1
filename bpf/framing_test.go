package bpf_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf/probe"
)

// converse opens a connection to addr, whose answers are read from replies.
func converse(t *testing.T, addr string) (conn *net.TCPConn, replies *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn), bufio.NewReader(c)
}

// idle is how long a connection is kept after an answer: what does not end with its
// answer lasts so much longer.
const idle = 100 * time.Millisecond

// inTime fails for spans that lasted until the next request instead of their answer.
// took is how long the client itself has waited for the answer, on a busy machine too.
func inTime(t *testing.T, r *recorder, took time.Duration) {
	t.Helper()
	for _, s := range r.all() {
		if lasted := s.End.Sub(s.Start); lasted > took+idle/2 {
			t.Errorf("%s of kind %d lasted %s, the client waited %s", s.path, s.Kind, lasted, took)
		}
	}
}

// TestManyChunksAtOnce answers with more and more chunks, each of four buffers, in as
// few calls as the kernel takes them: the answer ends with the last one, though the
// connection is kept.
func TestManyChunksAtOnce(t *testing.T) {
	needRoot(t)
	addr := serveRaw(t, func(c *net.TCPConn, path string) error {
		n, err := strconv.Atoi(path[1:])
		if err != nil {
			return err
		}
		answer := net.Buffers{[]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")}
		for range n {
			answer = append(answer, []byte("5"), []byte("\r\n"), []byte("hello"), []byte("\r\n"))
		}
		answer = append(answer, []byte("0\r\n\r\n"))
		_, err = answer.WriteTo(c)
		return err
	})
	r := record(t, uint32(os.Getpid()))
	for _, n := range []int{10, 40, 120, 400, 1000, 3000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r.reset()
			c, replies := converse(t, addr)
			var most time.Duration
			for range 2 {
				begin := time.Now()
				write(t, c, fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", n))
				answered(t, replies)
				most = max(most, time.Since(begin))
				time.Sleep(idle)
			}
			r.waitFor(4)
			inTime(t, r, most)
			for _, s := range r.all() {
				if s.StatusCode != http.StatusOK || s.Error != probe.ErrorNone {
					t.Errorf("%s of kind %d ended with %d %s", s.path, s.Kind, s.StatusCode, s.Error)
				}
			}
			if got := len(r.all()); got != 4 {
				t.Errorf("%d spans before the connection ends, want 4", got)
			}
		})
	}
}

// TestLongTargets asks HEAD, whose answer names the length of a body that does not
// come, with targets of any length, in one piece and in several: the answers that
// follow are their own.
func TestLongTargets(t *testing.T) {
	needRoot(t)
	addr := serveRaw(t, func(c *net.TCPConn, path string) error {
		answer := "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n"
		if path != "/object" {
			answer += strings.Repeat("b", 200)
		}
		_, err := io.WriteString(c, answer)
		return err
	})
	r := record(t, uint32(os.Getpid()))
	for _, length := range []int{1, 50, 110, 128, 400, 480, 505, 512, 600, 1024, 3000} {
		for _, pieces := range []int{1, 2, 7} {
			t.Run(fmt.Sprintf("%d in %d", length, pieces), func(t *testing.T) {
				r.reset()
				c, replies := converse(t, addr)
				head := "HEAD /object?" + strings.Repeat("q", length) + " HTTP/1.1\r\nHost: x\r\n\r\n"
				begin := time.Now()
				for i := range pieces {
					write(t, c, head[len(head)*i/pieces:len(head)*(i+1)/pieces])
					time.Sleep(time.Millisecond)
				}
				for line := ""; line != "\r\n"; {
					var err error
					if line, err = replies.ReadString('\n'); err != nil {
						t.Fatal(err)
					}
				}
				most := time.Since(begin)
				time.Sleep(idle)
				for _, path := range []string{"/after1", "/after2"} {
					begin := time.Now()
					write(t, c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
					answered(t, replies)
					most = max(most, time.Since(begin))
				}
				bothSides(t, r, 3, false)
				inTime(t, r, most)
			})
		}
	}
}

// TestBodiesSpliced: a server that moves bodies on within the kernel gets the next
// requests seen all the same.
func TestBodiesSpliced(t *testing.T) {
	needRoot(t)
	const body, requests = 50_000, 5
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	to := drain(t)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for buf := make([]byte, 1024); ; {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			read := n - strings.Index(string(buf[:n]), "\r\n\r\n") - 4
			if _, err := io.CopyN(to, c, int64(body-read)); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}()
	r := record(t, uint32(os.Getpid()))
	c, replies := converse(t, l.Addr().String())
	for i := range requests {
		write(t, c, fmt.Sprintf("POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", i, body))
		write(t, c, strings.Repeat("b", body))
		answered(t, replies)
	}
	spans := serverSpans(r, requests)
	if len(spans) != requests {
		t.Errorf("%d server spans, want %d (drops %v)", len(spans), requests, r.engine.Drops())
	}
	for _, s := range spans {
		if s.RequestBodySize != body {
			t.Errorf("%s: a body of %d bytes, want %d", s.path, s.RequestBodySize, body)
		}
	}
}

// corkTimer is how long the kernel keeps back what more is announced to, where no
// more comes (net/ipv4/tcp_output.c).
const corkTimer = 200 * time.Millisecond

// TestCorkedPieces announces more with all pieces but the last: nothing is kept back
// until the timer of the kernel, and nothing is out of its place.
func TestCorkedPieces(t *testing.T) {
	needRoot(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOK(t, l)
	r := record(t, uint32(os.Getpid()))
	const requests = 60
	late := 0
	for i := range requests {
		if i%20 == 0 { // on each connection several, of which the first opens it
			r.reset()
		}
		c, replies := converse(t, l.Addr().String())
		for part := range 3 {
			message := fmt.Sprintf("POST /%d-%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", i, part, 9*i, strings.Repeat("b", 9*i))
			begin := time.Now()
			sendMore(t, c, message, 2+i%4, part%2 == 0)
			answered(t, replies)
			if time.Since(begin) > corkTimer-20*time.Millisecond {
				late++
			}
		}
		c.Close()
		if i%20 == 19 {
			bothSides(t, r, 60, false) // a head in pieces gets no header
		}
	}
	if late > requests/2 { // of three times as many: a busy machine is late now and then
		t.Errorf("%d of %d requests waited for the timer", late, 3*requests)
	}
}

// sendMore sends a message in pieces, by MSG_MORE or behind a cork.
func sendMore(t *testing.T, c *net.TCPConn, message string, pieces int, cork bool) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	option := func(on int) {
		if err := unix.SetsockoptInt(fdOf(t, c), unix.IPPROTO_TCP, unix.TCP_CORK, on); err != nil {
			t.Fatal(err)
		}
	}
	if cork {
		option(1)
		defer option(0)
	}
	for i := range pieces {
		flags := unix.MSG_NOSIGNAL
		if !cork && i < pieces-1 {
			flags |= unix.MSG_MORE
		}
		piece := message[len(message)*i/pieces : len(message)*(i+1)/pieces]
		var failed error
		err := raw.Write(func(fd uintptr) bool {
			_, failed = unix.SendmsgN(int(fd), []byte(piece), nil, nil, flags)
			return failed != unix.EAGAIN
		})
		if err != nil || failed != nil {
			t.Fatal(err, failed)
		}
	}
}

// fdOf is the descriptor of a connection, which must stay open meanwhile.
func fdOf(t *testing.T, c *net.TCPConn) int {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := raw.Control(func(fd uintptr) { n = int(fd) }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestEmptyLinesAreNoRequest: those that come before a request (RFC 9112, 2.2), in a
// call of their own, are not when it began.
func TestEmptyLinesAreNoRequest(t *testing.T) {
	needRoot(t)
	addr := eachConnection(t, func(c *net.TCPConn) {
		for lines := bufio.NewScanner(c); lines.Scan(); {
			if lines.Text() != "Host: x" {
				continue
			}
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
				return
			}
		}
	})
	r := record(t, uint32(os.Getpid()))
	c, replies := converse(t, addr)
	var most time.Duration
	before := [][]string{{}, {"\r\n"}, {"\r", "\n"}, {"\r\n\r\n"}, {"\n", "\n\r"}}
	for n, pieces := range before {
		for _, piece := range pieces {
			write(t, c, piece)
			time.Sleep(idle)
		}
		rest := ""
		if len(pieces) > 0 && strings.HasSuffix(pieces[len(pieces)-1], "\r") {
			rest = "\n"
		}
		begin := time.Now()
		write(t, c, fmt.Sprintf("%sGET /%d HTTP/1.1\r\nHost: x\r\n\r\n", rest, n))
		answered(t, replies)
		most = max(most, time.Since(begin))
	}
	if got := len(r.waitFor(2 * len(before))); got != 2*len(before) {
		t.Errorf("%d spans, want %d", got, 2*len(before))
	}
	inTime(t, r, most)
}
