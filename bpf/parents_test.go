package bpf_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/loopback"
)

// TestHandover has a process that reads requests and lets another one answer some:
// what it asks for its own still has a parent, and no request stays open.
func TestHandover(t *testing.T) {
	needRoot(t)
	base, pids := chain(t, "handover", "direct")
	dispatcher := pids[1]
	r := record(t, append(pids, children(t, dispatcher)...)...)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for i := range 4 {
		get(t, client, fmt.Sprintf("%s/self%d", base, i))
		get(t, client, fmt.Sprintf("%s/hand%d", base, i))
	}
	spans := r.waitFor(16)
	judge(t, spans)
	linked := 0
	for _, s := range spans {
		if s.Kind == probe.Client && s.PID == dispatcher && s.ParentSpanID != ([8]byte{}) {
			linked++
		}
	}
	if len(spans) != 16 || linked != 4 {
		t.Errorf("%d spans, %d of 4 questions have a parent, want 16 spans and 4", len(spans), linked)
	}
	for _, s := range r.engine.Targets() {
		if s.OpenRequests != 0 {
			t.Errorf("process %d still has %d open requests", s.PID, s.OpenRequests)
		}
	}
}

// TestPipelinedParents sends several requests at once on one connection: which of
// them a thread or a goroutine works on is not seen, so none may be a wrong parent.
func TestPipelinedParents(t *testing.T) {
	needRoot(t)
	for _, kind := range []string{"direct", "goroutine", "python", "nginx"} {
		t.Run(kind, func(t *testing.T) {
			base, pids := chain(t, kind, "direct")
			r := record(t, pids...)
			for i := range 10 {
				get(t, http.DefaultClient, fmt.Sprintf("%s/one%d", base, i))
			}
			conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			answers := bufio.NewReader(conn)
			for round := range 20 {
				text := ""
				for i := range 3 {
					text += fmt.Sprintf("GET /pipe%d HTTP/1.1\r\nHost: x\r\n\r\n", 3*round+i)
				}
				if _, err := io.WriteString(conn, text); err != nil {
					t.Fatal(err)
				}
				for range 3 {
					resp, err := http.ReadResponse(answers, nil)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := io.Copy(io.Discard, resp.Body); err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
				}
			}
			judge(t, r.waitFor(3*70))
		})
	}
}

// TestConnectionsThatDieEarly asks a server that resets every connection: what ties
// the one that asks to the connection must not stay behind.
func TestConnectionsThatDieEarly(t *testing.T) {
	needRoot(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
				t.Error(err)
			}
			conn.Close()
		}
	}()
	addr := loopback.Address(t)
	pid := start(t, addr, hop(t), addr, "http://"+l.Addr().String(), "direct")
	r := record(t, pid)
	for i := range 300 {
		get(t, http.DefaultClient, fmt.Sprintf("http://%s/early%d", addr, i))
	}
	n, err := r.engine.Entries("go_ties")
	if err != nil {
		t.Fatal(err)
	}
	if n > 0 {
		t.Errorf("%d ties have stayed behind", n)
	}
}
