package bpf_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/probe"
)

// The answers in this file are moved by sendfile and splice, so that the programs
// can read none, some or only the heads of them.

// answerFile writes a whole answer with a body of n bytes, or only the body.
func answerFile(t *testing.T, n int, head bool) string {
	t.Helper()
	body := strings.Repeat("b", n)
	if head {
		body = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, body)
	}
	name := filepath.Join(t.TempDir(), "answer")
	if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// sendFile answers with the bytes of a file that do not pass through this process.
func sendFile(c *net.TCPConn, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = c.ReadFrom(f)
	return err
}

// eachConnection serves every connection until the test ends, and closes it when serve
// returns.
func eachConnection(t *testing.T, serve func(c *net.TCPConn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c.(*net.TCPConn))
			}()
		}
	}()
	return l.Addr().String()
}

// serveRaw answers each request of each connection by its path.
func serveRaw(t *testing.T, answer func(c *net.TCPConn, path string) error) string {
	t.Helper()
	return eachConnection(t, func(c *net.TCPConn) {
		for r := bufio.NewReader(c); ; {
			req, err := http.ReadRequest(r)
			if err != nil || answer(c, req.URL.Path) != nil {
				return
			}
		}
	})
}

// mixedServer answers /file and /bigfile by sendfile alone, /body with a head by
// write and a body by sendfile, everything else by write.
func mixedServer(t *testing.T) string {
	t.Helper()
	small, big := answerFile(t, 1000, true), answerFile(t, 4<<20, true)
	body := answerFile(t, 300_000, false)
	return serveRaw(t, func(c *net.TCPConn, path string) error {
		switch path {
		case "/file":
			return sendFile(c, small)
		case "/bigfile":
			return sendFile(c, big)
		case "/body":
			if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"); err != nil {
				return err
			}
			return sendFile(c, body)
		}
		_, err := io.WriteString(c, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok")
		return err
	})
}

// paths lists a path for every letter: f, F, b and w.
func paths(letters string) []string {
	names := map[rune]string{'f': "/file", 'F': "/bigfile", 'b': "/body", 'w': "/written"}
	var all []string
	for _, l := range letters {
		all = append(all, names[l])
	}
	return all
}

// seen renders the spans of one side as status and path, faults included.
func seen(r *recorder, kind probe.Kind, n int) string {
	var got []string
	for deadline := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got = nil
		for _, s := range r.all() {
			if s.Kind == kind {
				got = append(got, fmt.Sprintf("%d %s %d %s", s.StatusCode, s.path, s.ResponseBodySize, s.Error))
			}
		}
		if len(got) >= n && time.Now().After(deadline.Add(-1800*time.Millisecond)) || time.Now().After(deadline) {
			return strings.Join(got, "\n")
		}
	}
}

// want renders what can be known of the answers: nothing of those without a head.
func want(asked []string) (string, int) {
	var all []string
	for _, path := range asked {
		switch path {
		case "/body":
			all = append(all, "200 /body 300000 ")
		case "/written":
			all = append(all, "201 /written 2 ")
		}
	}
	return strings.Join(all, "\n"), len(all)
}

// TestAnswersBySendfile looks at the server's spans: those whose answer cannot be
// read are counted, all others are as they should be.
func TestAnswersBySendfile(t *testing.T) {
	needRoot(t)
	addr := mixedServer(t)
	r := record(t, uint32(os.Getpid()))
	tests := map[string]string{
		"only written answers":         "www",
		"one answer from a file":       "f",
		"nothing but files":            strings.Repeat("f", 20),
		"files between others":         "wfwfbfwwffb",
		"a file sent in many pieces":   "wFwFbFw",
		"bodies from files":            "bbbb",
		"a body, then a whole answer":  "bfbfb",
		"more files than slots, again": strings.Repeat("fffffw", 4),
	}
	for name, letters := range tests {
		t.Run(name, func(t *testing.T) {
			r.reset()
			before := r.engine.Drops()
			asked := paths(letters)
			ask(t, addr, asked)
			expectKnown(t, r, probe.Server, asked, before)
		})
	}
}

// ask sends the requests one after the other on one connection.
func ask(t *testing.T, addr string, asked []string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	replies := bufio.NewReader(c)
	for _, path := range asked {
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(replies, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// expectKnown fails unless there are the spans that can be known, and all others
// were counted.
func expectKnown(t *testing.T, r *recorder, kind probe.Kind, asked []string, before map[string]uint64) {
	t.Helper()
	spans, n := want(asked)
	if got := seen(r, kind, n); got != spans {
		t.Errorf("got\n%s\nwant\n%s", got, spans)
	}
	checkDrops(t, r, before, len(asked)-n)
}

// checkDrops compares what was counted since before.
func checkDrops(t *testing.T, r *recorder, before map[string]uint64, unreadable int) {
	t.Helper()
	for reason, n := range r.engine.Drops() {
		wanted := uint64(0)
		if reason == "unreadable" {
			wanted = uint64(unreadable)
		}
		if got := n - before[reason]; got != wanted {
			t.Errorf("%d were dropped as %s, want %d", got, reason, wanted)
		}
	}
}

// drain returns a connection that takes everything.
func drain(t *testing.T) *net.TCPConn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, other) }()
	t.Cleanup(func() {
		c.Close()
		other.Close()
	})
	return c.(*net.TCPConn)
}

// TestAnswersBySplice looks at the client's spans where some answers go from one
// connection to the other within the kernel.
func TestAnswersBySplice(t *testing.T) {
	needRoot(t)
	const head = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n"
	const headOfBody = "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"
	addr := serveRaw(t, func(c *net.TCPConn, path string) error {
		answer := head + "ok"
		if path == "/body" {
			answer = headOfBody + strings.Repeat("b", 300_000)
		}
		_, err := io.WriteString(c, answer)
		return err
	})
	to := drain(t)
	r := record(t, uint32(os.Getpid()))
	tests := map[string]string{
		"only answers that are read":     "www",
		"one spliced answer":             "f",
		"nothing but splices":            strings.Repeat("f", 20),
		"splices between others":         "wfwfbfwwffb",
		"spliced bodies":                 "bbbb",
		"a body, then a whole answer":    "bfbfb",
		"more splices than slots, again": strings.Repeat("fffffw", 4),
	}
	for name, letters := range tests {
		t.Run(name, func(t *testing.T) {
			r.reset()
			before := r.engine.Drops()
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			asked := paths(letters)
			for _, path := range asked {
				if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
					t.Fatal(err)
				}
				read, spliced := len(head)+2, 0
				switch path {
				case "/file":
					read, spliced = 0, read
				case "/body":
					read, spliced = len(headOfBody), 300_000
				}
				if _, err := io.ReadFull(c, make([]byte, read)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.CopyN(to, c, int64(spliced)); err != nil {
					t.Fatal(err)
				}
			}
			c.Close()
			expectKnown(t, r, probe.Client, asked, before)
		})
	}
}

// TestPipelinedAnswersBySendfile: which of several answers cannot be read is not
// to be told. Spans may be missing, but none may have another one's answer.
func TestPipelinedAnswersBySendfile(t *testing.T) {
	needRoot(t)
	addr := mixedServer(t)
	r := record(t, uint32(os.Getpid()))
	for _, letters := range []string{"wf", "fw", "wfw", "fwb", "bfwwb", "fwfwfwfwfw", "wwwwwwfwwww"} {
		t.Run(letters, func(t *testing.T) {
			r.reset()
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			replies := bufio.NewReader(c)
			for range 2 {
				var all strings.Builder
				for _, path := range paths(letters) {
					fmt.Fprintf(&all, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
				}
				if _, err := io.WriteString(c, all.String()); err != nil {
					t.Fatal(err)
				}
				for range letters {
					resp, err := http.ReadResponse(replies, nil)
					if err != nil {
						t.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			}
			for line := range strings.SplitSeq(seen(r, probe.Server, 0), "\n") {
				if line != "" && line != "200 /body 300000 " && line != "201 /written 2 " {
					t.Errorf("a wrong span: %s", line)
				}
			}
		})
	}
}
