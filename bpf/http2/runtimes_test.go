package http2_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

const scripts = "testdata/runtimes"

// modules is a folder with the programs of testdata/runtimes and the packages of their lock file.
func modules(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(scripts)); err != nil {
		t.Fatal(err)
	}
	cmd := program.Command(t, "npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("fetching packages of Node.js: %v: %s", err, out)
	}
	return dir
}

// side is a program that serves or asks.
type side struct{ program, script, kind string }

// command is the program with more arguments.
func (s side) command(t *testing.T, dir, bin string, args ...string) *exec.Cmd {
	t.Helper()
	if s.program == "go" {
		return program.Command(t, bin, append([]string{s.kind}, args...)...)
	}
	return program.Command(t, s.program, append([]string{filepath.Join(dir, s.script), s.kind}, args...)...)
}

// Servers and clients of each runtime.
var (
	goServer   = side{"go", "", "grpc-server"}
	goClient   = side{"go", "", "grpc-client"}
	goPages    = side{"go", "", "http-server"}
	goReader   = side{"go", "", "http-client"}
	grpcio     = side{"python3", "calls.py", "server"}
	grpcioLoop = side{"python3", "calls.py", "aio-server"}
	grpcJS     = side{"node", "calls.cjs", "server"}
	nodePages  = side{"node", "pages.cjs", "server"}
	hypercorn  = side{"python3", "pages.py", "server"}
)

// client is the same program as a client.
func (s side) client(kind string) side { return side{s.program, s.script, kind} }

// wantedCalls are the spans of so many calls, of the client and the server.
func wantedCalls(times int) map[probe.Kind][]string {
	want := map[probe.Kind][]string{}
	for i := range times {
		kind, status, client, server := "Unary", "OK", "", ""
		switch i % 10 {
		case 0:
			kind, status, client = "UnaryMissing", "NOT_FOUND", "NOT_FOUND"
		case 1:
			kind, status, client, server = "UnaryBroken", "DATA_LOSS", "DATA_LOSS", "DATA_LOSS"
		case 2:
			kind = "Talk"
		case 3:
			if i%100 == 3 {
				kind = "UnaryLarge"
			}
		case 4:
			kind, status, client = "Cancel", "", "CANCEL"
		}
		want[probe.Client] = append(want[probe.Client], fmt.Sprintf("odi.test.Peer/%s%d %s %s", kind, i, status, client))
		want[probe.Server] = append(want[probe.Server], fmt.Sprintf("odi.test.Peer/%s%d %s %s", kind, i, status, server))
	}
	slices.Sort(want[probe.Client])
	slices.Sort(want[probe.Server])
	return want
}

// sayCall leaves out with which status a server ends a call that was given up: some do so first.
func sayCall(span *probe.Span) string {
	if strings.Contains(span.Name, "/Cancel") && roomtest.Text(span, "error.type") == "" {
		return span.Name + "  "
	}
	return fmt.Sprintf("%s %s %s", span.Name, roomtest.Text(span, "rpc.response.status_code"), roomtest.Text(span, "error.type"))
}

// wantedPages are the spans of so many requests, the same on both sides.
func wantedPages(times int) map[probe.Kind][]string {
	var want []string
	for i := range times {
		method, code := "GET", "200"
		if i%3 == 0 {
			method = "POST"
		}
		if i%10 == 0 {
			code = "404"
		}
		want = append(want, fmt.Sprintf("%s /%s/%d %s", method, code, i, code))
	}
	slices.Sort(want)
	return map[probe.Kind][]string{probe.Client: want, probe.Server: want}
}

func sayPage(span *probe.Span) string {
	return fmt.Sprintf("%s %s %d", span.Name, span.Path.Text, roomtest.Number(span, "http.response.status_code"))
}

// runtimes are who asks whom. Of httpx the loop: its threads share a connection without a lock.
var runtimes = map[string]struct {
	server, client side
	pages          bool
}{
	"grpcio asks grpc-go":        {server: goServer, client: grpcio.client("client")},
	"grpcio's loop asks grpc-go": {server: goServer, client: grpcio.client("aio-client")},
	"grpc-js asks grpc-go":       {server: goServer, client: grpcJS.client("client")},
	"grpc-go asks grpcio":        {server: grpcio, client: goClient},
	"grpc-go asks grpcio's loop": {server: grpcioLoop, client: goClient},
	"grpc-go asks grpc-js":       {server: grpcJS, client: goClient},
	"grpcio asks grpcio":         {server: grpcio, client: grpcio.client("client")},
	"grpc-js asks grpcio's loop": {server: grpcioLoop, client: grpcJS.client("client")},
	"grpcio asks grpc-js":        {server: grpcJS, client: grpcio.client("client")},
	"grpc-js asks grpc-js":       {server: grpcJS, client: grpcJS.client("client")},
	"Node.js asks Go":            {server: goPages, client: nodePages.client("client"), pages: true},
	"Node.js asks Node.js":       {server: nodePages, client: nodePages.client("client"), pages: true},
	"Go asks Node.js":            {server: nodePages, client: goReader, pages: true},
	"Go asks hypercorn":          {server: hypercorn, client: goReader, pages: true},
	"httpx asks Go":              {server: goPages, client: hypercorn.client("client"), pages: true},
	"httpx asks Node.js":         {server: nodePages, client: hypercorn.client("client"), pages: true},
	"httpx asks hypercorn":       {server: hypercorn, client: hypercorn.client("client"), pages: true},
}

// TestRuntimes: every request and call between programs in several languages is one span on each
// side, with what it was, and how it ended; all arrive as they were sent, with at most one header
// of ours, and no pair of spans is another's.
func TestRuntimes(t *testing.T) {
	bin, dir := peer(t), modules(t)
	p := &pairs{was: map[probe.Kind]map[string]probe.Exchange{}}
	s := roomtest.Watch(t, http2.Protocol, p.add)
	for name, tc := range runtimes {
		t.Run(name, func(t *testing.T) {
			addr := "127.0.0.1:" + loopback.Port(t)
			server := started(t, tc.server.command(t, dir, bin, addr))
			listens(t, addr)
			s.Target(t, server)
			for times, parallel := range map[int]int{30: 1, 150: 10, 250: 100} {
				want, say := wantedCalls(times), sayCall
				if tc.pages {
					want, say = wantedPages(times), sayPage
				}
				s.Reset()
				p.reset()
				asks(t, s, tc.client.command(t, dir, bin, addr, strconv.Itoa(times), strconv.Itoa(parallel)))
				for _, kind := range []probe.Kind{probe.Client, probe.Server} {
					if diff := cmp.Diff(want[kind], said(s, kind, say)); diff != "" {
						t.Errorf("%d at a time, side %d; losses %v (-want +got):\n%.1500s", parallel, kind, s.Engine.Drops(), diff)
					}
				}
				joined, apart, wrong := p.judge()
				t.Logf("%d at a time: %d joined, %d apart, %d wrong", parallel, joined, apart, wrong)
				if wrong > 0 || parallel == 1 && joined < times*85/100 {
					t.Errorf("%d at a time: of %d pairs %d are one trace, %d are wrong", parallel, times, joined, wrong)
				}
			}
			if leaked := s.Leaked("secret"); len(leaked) > 0 {
				t.Errorf("messages of errors have left the process: %v", leaked)
			}
		})
	}
	t.Logf("losses: %v", s.Engine.Drops())
}
