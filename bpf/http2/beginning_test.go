package http2_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestOnlyTheBeginning: what only begins like HTTP/2 is none, and the rest of its
// connection is left alone.
func TestOnlyTheBeginning(t *testing.T) {
	const preface, settings = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	const request = "\x00\x00\x03\x01\x05\x00\x00\x00\x01\x82\x86\x84"
	s := roomtest.Watch(t, http2.Protocol)
	for name, said := range map[string]string{
		"a method that is none":     "PRI /index.html HTTP/1.1\r\n\r\n" + request,
		"another version":           strings.Replace(preface, "2", "3", 1) + settings + request,
		"a preface and noise":       preface + "GET / HTTP/1.1\r\n\r\n" + request,
		"a request before a stream": preface + settings + strings.Replace(request, "\x00\x01\x82", "\x00\x00\x82", 1) + request,
		"a continuation of nothing": preface + settings + strings.Replace(request, "\x01\x05", "\x09\x05", 1) + request,
		"settings without an end":   preface + "\x00\x00\x07\x04\x00\x00\x00\x00\x00" + request,
		"a frame of 16 MiB":         preface + settings + "\xff\xff\xff\x01\x05\x00\x00\x00\x01" + request,
	} {
		t.Run(name, func(t *testing.T) {
			s.Reset()
			cmd := program.Command(t, "python3", "-c", `import socket,sys
sys.stdin.readline()
l = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(l.getsockname())
s, _ = l.accept()
said = bytes.fromhex(sys.argv[1])
c.sendall(said)
while len(said) > 0:
    said = said[len(s.recv(1000)):]
s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
c.recv(1000)
`, fmt.Sprintf("%x", said))
			asks(t, s, cmd)
			for _, kind := range []probe.Kind{probe.Client, probe.Server} {
				if got := s.Counts(kind); len(got) > 0 {
					t.Errorf("side %d: %v; losses %v", kind, got, s.Engine.Drops())
				}
			}
		})
	}
}
