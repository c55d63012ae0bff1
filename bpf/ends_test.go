package bpf_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf/probe"
)

// TestReadsOfNothing has a client ask for no bytes while its answer lies ready: that
// is not the end of the connection.
func TestReadsOfNothing(t *testing.T) {
	needRoot(t)
	for name, read := range map[string]func(fd int) error{
		"recv": func(fd int) error { _, _, err := unix.Recvfrom(fd, nil, 0); return err },
		"read": func(fd int) error { _, err := unix.Read(fd, nil); return err },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			serveOK(t, l)
			r := record(t, uint32(os.Getpid()))
			c, replies := converse(t, l.Addr().String())
			for i := range 5 {
				write(t, c, fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i))
				time.Sleep(20 * time.Millisecond) // until the answer is there
				if err := read(fdOf(t, c)); err != nil && !errors.Is(err, unix.EAGAIN) {
					t.Fatal(err)
				}
				answered(t, replies)
			}
			bothSides(t, r, 5, true)
		})
	}
}

// socket is a plain socket, which may connect more than once.
type socket int

func newSocket(t *testing.T) socket {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return socket(fd)
}

// connect waits until the socket is connected; later calls do not wait, as the requests
// of one that blocks go without header where they follow each other at once.
func (s socket) connect(t *testing.T, addr string) {
	t.Helper()
	to, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		unix.SetNonblock(int(s), false),
		unix.Connect(int(s), &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}),
		unix.SetNonblock(int(s), true))
	if err != nil {
		t.Fatal(err)
	}
}

// disconnect is connect() to nobody, after which the socket may connect again.
func (s socket) disconnect(t *testing.T) {
	t.Helper()
	var nobody [16]byte // AF_UNSPEC is 0
	if _, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(s), uintptr(unsafe.Pointer(&nobody)), uintptr(len(nobody))); errno != 0 {
		t.Fatal(errno)
	}
}

func (s socket) Write(b []byte) (int, error) { return unix.Write(int(s), b) }

// Read waits with poll, as a socket in a map may wake a read in vain (docs/seen.md).
func (s socket) Read(b []byte) (int, error) {
	for {
		ready := []unix.PollFd{{Fd: int32(s), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, 5000); err != nil && err != unix.EINTR {
			return 0, err
		}
		n, _, err := unix.Recvfrom(int(s), b, unix.MSG_DONTWAIT)
		if err == unix.EAGAIN && ready[0].Revents != 0 || err == unix.EINTR {
			continue
		}
		if n == 0 && err == nil {
			err = io.EOF
		}
		return n, err
	}
}

// TestConnectsAgain has one socket connect to one server after the other: what the
// first connection was, the second is not.
func TestConnectsAgain(t *testing.T) {
	needRoot(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOK(t, l)
	half := serveRaw(t, func(c *net.TCPConn, _ string) error {
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
		return err
	})
	greeter := greet(t)
	for name, before := range map[string]func(t *testing.T, s socket){
		"another protocol": func(t *testing.T, s socket) {
			s.connect(t, greeter)
			write(t, s, "SSH-2.0-odi\r\n")
			if _, err := bufio.NewReader(s).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		},
		"half an answer": func(t *testing.T, s socket) {
			s.connect(t, half)
			write(t, s, "GET /half HTTP/1.1\r\nHost: x\r\n\r\n")
			time.Sleep(20 * time.Millisecond)
			if _, err := s.Read(make([]byte, 4096)); err != nil {
				t.Fatal(err)
			}
		},
		"no answer yet": func(t *testing.T, s socket) {
			s.connect(t, greeter)
			write(t, s, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t, uint32(os.Getpid()))
			s := newSocket(t)
			before(t, s)
			s.disconnect(t)
			time.Sleep(300 * time.Millisecond) // until all of the first connection is told
			r.reset()
			s.connect(t, l.Addr().String())
			replies := bufio.NewReader(s)
			for i := range 3 {
				write(t, s, fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: x\r\n\r\n", i))
				answered(t, replies)
			}
			bothSides(t, r, 3, true)
			for _, span := range r.all() {
				if span.Kind == probe.Client && span.Peer.String() != l.Addr().String() {
					t.Errorf("%s went to %s, want %s", span.path, span.Peer, l.Addr())
				}
			}
		})
	}
}

// greet serves a protocol in which the server says one line, and no more.
func greet(t *testing.T) string {
	t.Helper()
	return eachConnection(t, func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "SSH-2.0-other\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
}

// TestReusedSockets has requests ask over connections that die before they carry
// anything, and others of the same process take the sockets' addresses: what these
// ask on their own account has no parent.
func TestReusedSockets(t *testing.T) {
	needRoot(t)
	deadly, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deadly.Close()
	go func() {
		for {
			c, err := deadly.Accept()
			if err != nil {
				return
			}
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	quiet, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOK(t, quiet)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const own = 60
	begin, done := make(chan int), make(chan bool)
	defer close(begin)
	go func() { // what it starts works for nobody
		for round := range begin {
			var asking sync.WaitGroup
			for i := range own {
				asking.Go(func() { askByHand(t, quiet.Addr().String(), fmt.Sprintf("/own%d-%d", round, i)) })
			}
			asking.Wait()
			done <- true
		}
	}()
	round := 0
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		client := &http.Client{Transport: &http.Transport{}}
		for range 30 { // their connections die
			if resp, err := client.Get("http://" + deadly.Addr().String() + "/dead"); err == nil {
				resp.Body.Close()
			}
		}
		begin <- round
		round++
		<-done
		_, _ = io.WriteString(w, "ok")
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	r := record(t, uint32(os.Getpid()))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for i := range 5 {
		get(t, client, fmt.Sprintf("http://%s/work%d", l.Addr(), i))
	}
	asked := 0
	for _, s := range r.waitFor(5 * 2 * own) {
		if s.Kind != probe.Client || !strings.HasPrefix(s.path, "/own") {
			continue
		}
		asked++
		if s.ParentSpanID != ([8]byte{}) {
			t.Errorf("%s has the parent %x", s.path, s.ParentSpanID)
		}
	}
	if asked != 5*own {
		t.Errorf("%d requests of its own were seen, want %d", asked, 5*own)
	}
}

func askByHand(t *testing.T, addr, path string) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Error(err)
		return
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
}

// TestAServerThatCannotAnswer reads a request from a connection that was reset before,
// fails to answer, and takes its time to close: the request ends with the failure.
func TestAServerThatCannotAnswer(t *testing.T) {
	needRoot(t)
	reset, took := make(chan struct{}), make(chan time.Duration, 1)
	addr := eachConnection(t, func(c *net.TCPConn) {
		<-reset
		begin := time.Now()
		_, _ = c.Read(make([]byte, 1000))
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		took <- time.Since(begin)
		if err == nil {
			t.Error("a server could write to a connection that was reset")
		}
		time.Sleep(3 * idle)
	})
	r := record(t, uint32(os.Getpid()))
	needProgram(t, r, "odi_write_end", "sock_send_length")
	c, _ := converse(t, addr)
	write(t, c, "GET /late HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := c.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	time.Sleep(idle)
	close(reset)
	most := <-took
	time.Sleep(4 * idle)
	servers := 0
	for _, s := range r.all() {
		if s.Kind != probe.Server {
			continue
		}
		servers++
		if lasted := s.End.Sub(s.Start); lasted > most+idle/2 || s.Error == probe.ErrorNone {
			t.Errorf("the server's span lasted %s and ended by %q, its process took %s", lasted, s.Error, most)
		}
	}
	if servers != 1 {
		t.Errorf("%d spans of the server, want 1", servers)
	}
}
