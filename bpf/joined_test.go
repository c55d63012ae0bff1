package bpf_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
)

// TestJoinedInTheMiddle attaches while a connection is in the middle of a long
// answer, whose pieces look like nothing: the requests that follow are seen.
func TestJoinedInTheMiddle(t *testing.T) {
	needRoot(t)
	begun, goOn := make(chan bool), make(chan bool)
	addr := serveRaw(t, func(c *net.TCPConn, path string) error {
		if path != "/long" {
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			return err
		}
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 30000\r\n\r\n")
		begun <- true
		<-goOn
		for range 30 {
			if _, err = io.WriteString(c, strings.Repeat("z", 1000)); err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		return err
	})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	replies := bufio.NewReader(c)
	write(t, c, "GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
	<-begun
	r := record(t, uint32(os.Getpid()))
	close(goOn)
	answered(t, replies)
	for i := range 10 {
		write(t, c, fmt.Sprintf("GET /after/%d HTTP/1.1\r\nHost: x\r\n\r\n", i))
		answered(t, replies)
	}
	bothSides(t, r, 10, true)
}

// TestWithoutALease: while nothing reads the events, requests go out without header,
// and are seen all the same once somebody does.
func TestWithoutALease(t *testing.T) {
	needRoot(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOK(t, l)
	e, err := bpf.Load(bpf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := e.AddTarget(probe.Target{PID: uint32(os.Getpid()), Propagate: true}); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	get(t, client, "http://"+l.Addr().String()+"/first")
	time.Sleep(6 * time.Second) // longer than the lease
	for i := range 9 {
		get(t, client, fmt.Sprintf("http://%s/%d", l.Addr(), i))
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &recorder{engine: e}
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, r.add) }()
	bothSides(t, r, 10, false)
	if got := e.Drops()["header_not_written"]; got != 9 {
		t.Errorf("%d requests are counted as without header, want 9", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestOtherProtocols: the first lines of protocols that look like HTTP/1 and are
// not arrive as they were sent, however long they are and however they are cut.
func TestOtherProtocols(t *testing.T) {
	needRoot(t)
	long := strings.Repeat("x", 700)
	messages := []string{
		"EVENT {\"a\":\"" + long + "\"}\n\n",
		"EVENT " + long + long + long + "\n\n",
		"GET /" + long + " HTTP/1.1x\r\nHost: x\r\n\r\n",
		"GET /" + long + " HTTP/1.2\r\nHost: x\r\n\r\n",
		"GET /" + long + "HTTP/1.1\r\nHost: x\r\n\r\n",
		"INFO a request came: GET /x HTTP/1.1\r\n\r\n",
		"INFO /x HTTP/1.1\nINFO /y HTTP/1.1\n\n",
		"INVITE sip:bob@example.com SIP/2.0\r\nVia: x\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"PROXY TCP4 203.0.113.7 198.51.100.1 1 2\r\nEHLO x\r\n\r\n",
		"\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c............EHLO x\r\n\r\n",
		"get\r\n\r\n",
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all, _ := io.ReadAll(c)
			c.Close()
			got <- string(all)
		}
	}()
	r := record(t, uint32(os.Getpid()))
	for _, m := range messages {
		for cut := 0; cut < len(m); cut += 1 + len(m)/11 {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			write(t, c, m[:cut])
			time.Sleep(time.Millisecond)
			write(t, c, m[cut:]+m)
			c.Close()
			if all := <-got; all != m+m {
				t.Errorf("%.40q cut at %d: %d bytes arrived as %d: %.120q", m, cut, 2*len(m), len(all), all)
			}
		}
	}
	if spans := r.all(); len(spans) > 0 {
		t.Errorf("%d spans of what is no HTTP/1, the first is %.80q", len(spans), spans[0].RequestHead)
	}
}
