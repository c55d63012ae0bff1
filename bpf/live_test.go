package bpf_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/handshake"
	"github.com/odi-dev/odi/bpf/http2"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// needRoot skips where programs cannot be loaded, and with -short, and fails in CI, which is root.
func needRoot(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out tests that need root")
	}
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("loading BPF programs needs root")
	}
	t.Skip("loading BPF programs needs root")
}

// start runs a program until the test ends and waits until addr answers.
func start(t *testing.T, addr, name string, args ...string) uint32 {
	t.Helper()
	cmd := program.Command(t, name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // nginx's workers would survive a kill
		_ = cmd.Wait()
		if t.Failed() && out.Len() > 0 {
			t.Logf("%s: %s", name, out.String())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return uint32(cmd.Process.Pid)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen on %s: %s", name, addr, out.String())
		}
	}
}

// hop builds the Go test application as users ship theirs: stripped. Where there
// is no toolchain, ODI_TEST_HOP names one that is built already.
func hop(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("ODI_TEST_HOP"); bin != "" {
		return bin
	}
	bin := filepath.Join(t.TempDir(), "hop")
	cmd := program.Command(t, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "./testdata/hop")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the test application: %v: %s", err, out)
	}
	return bin
}

// span is an exchange with its bytes copied.
type span struct {
	probe.Exchange
	path string
}

// mark is the last element of the path, which nobody changes on the way.
func (s span) mark() string {
	path, _, _ := strings.Cut(s.path, "?")
	return path[strings.LastIndex(path, "/")+1:]
}

// recorder collects what an engine reports.
type recorder struct {
	engine *bpf.Engine
	stop   func()

	mu    sync.Mutex
	spans []span
}

// record loads an engine that watches the given processes until the test ends.
func record(t *testing.T, pids ...uint32) *recorder {
	t.Helper()
	e, err := bpf.Load(bpf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &recorder{engine: e}
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, r.add) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	for _, pid := range pids {
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if err := e.AddTarget(probe.Target{PID: pid, AsksAgain: filepath.Base(exe) == "java", Propagate: true, Children: true}); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func (r *recorder) add(exchange *probe.Exchange) {
	x := *exchange
	if x.Protocol == handshake.Protocol.Code {
		return // no request
	}
	line, _, _ := strings.Cut(string(x.RequestHead), "\r\n")
	x.RequestHead, x.Preface = bytes.Clone(x.RequestHead), bytes.Clone(x.Preface)
	s := span{Exchange: x}
	if fields := strings.Fields(line); len(fields) > 1 {
		s.path = fields[1]
	}
	if x.Protocol == http2.Protocol.Code {
		var decoded probe.Span
		http2.Protocol.Decode(&x, &decoded)
		s.path = strings.Clone(decoded.Path.Text)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = append(r.spans, s)
}

func (r *recorder) all() []span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]span(nil), r.spans...)
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = nil
}

// waitFor returns the spans once there are n, or those that came within 5 s.
func (r *recorder) waitFor(n int) []span {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if len(r.all()) >= n {
			break
		}
	}
	time.Sleep(100 * time.Millisecond) // more than wanted would be wrong as well
	return r.all()
}

// get asks with a connection of its own.
func get(t *testing.T, client *http.Client, url string, header ...string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %d %v", url, resp.StatusCode, err)
	}
	return string(body)
}

// storm sends n requests, width at a time, each with a path of its own.
func storm(t *testing.T, base, prefix string, n, width int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: width}}
	defer client.CloseIdleConnections()
	stormWith(t, client, base+"/"+prefix, n, width)
}

// stormWith does so with a client. The URLs begin alike.
func stormWith(t *testing.T, client *http.Client, begin string, n, width int) {
	t.Helper()
	var wg sync.WaitGroup
	next := make(chan int)
	for range width {
		wg.Go(func() {
			for i := range next {
				get(t, client, fmt.Sprintf("%s%d", begin, i))
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// links is what judge found about one process.
type links struct {
	server, client, linked int
}

// judge fails the test for every wrong parent: all spans of a trace must carry
// the same mark, a client span's parent must be a server span of its process,
// a server span's parent must be a client span of another one.
func judge(t *testing.T, spans []span) map[uint32]*links {
	t.Helper()
	byID := map[[8]byte]span{}
	for _, s := range spans {
		if _, twice := byID[s.SpanID]; twice {
			t.Errorf("span %x came twice", s.SpanID)
		}
		byID[s.SpanID] = s
	}
	found := map[uint32]*links{}
	for _, s := range spans {
		l := found[s.PID]
		if l == nil {
			l = &links{}
			found[s.PID] = l
		}
		up, known := byID[s.ParentSpanID]
		if s.Kind == probe.Server {
			l.server++
		} else {
			l.client++
			if known {
				l.linked++
			}
		}
		if !known {
			continue
		}
		if up.mark() != s.mark() || up.TraceID != s.TraceID || up.Kind == s.Kind || (s.Kind == probe.Client && up.PID != s.PID) {
			t.Errorf("wrong parent: %s of %d (%s) below %s of %d (%s)", s.path, s.PID, s.Link, up.path, up.PID, up.Link)
		}
	}
	return found
}
