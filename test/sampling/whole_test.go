package sampling

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/protocols"
	"github.com/odi-dev/odi/hack/servers"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// build builds a Go program.
func build(t *testing.T, from string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "program")
	if out, err := program.Command(t, "go", "build", "-o", bin, from).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// started starts a program until the test ends, once it listens, and returns its process id.
func started(t *testing.T, addr string, cmd *exec.Cmd) uint32 {
	t.Helper()
	server, err := servers.Start(addr, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return uint32(server.PID())
}

// traces keeps what was seen, by trace.
type traces struct {
	mu  sync.Mutex
	all map[[16]byte]*trace
}

type trace struct {
	path      string // of its first request
	flags     map[uint8]int
	protocols map[string]int
}

func (s *traces) add(x *probe.Exchange) {
	var span probe.Span
	name := ""
	for _, p := range protocols.All() {
		if p.Code == x.Protocol {
			name = p.Name
			if p.Decode != nil {
				p.Decode(x, &span)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.all[x.TraceID]
	if of == nil {
		of = &trace{flags: map[uint8]int{}, protocols: map[string]int{}}
		s.all[x.TraceID] = of
	}
	of.flags[x.TraceFlags&probe.Sampled]++
	if x.Kind == probe.Client {
		name += " client"
	}
	of.protocols[name]++
	if x.ParentSpanID == [8]byte{} && x.Kind == probe.Server {
		of.path = strings.Clone(span.Path.Text)
	}
}

// TestWholeTracesAcrossProtocols sends requests into a program that asks the next one by gRPC, which asks by gRPC, which
// asks by HTTP/1, which asks PostgreSQL and Redis. What the first one's rules say of a path, all of them keep to.
func TestWholeTracesAcrossProtocols(t *testing.T) {
	testkit.NeedRoot(t)
	dir, err := os.MkdirTemp("", "odi-sampling")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // the database's account goes through it
		t.Fatal(err)
	}
	postgres, err := servers.Postgres(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(postgres.Stop)
	redis, err := servers.Redis(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(redis.Stop)
	next := loopback.Address(t)
	pids := []uint32{started(t, next, program.Command(t, build(t, "./testdata/stores"), next, postgres.Addr, redis.Addr))}
	peer := build(t, "../../bpf/http2/testdata/peer")
	for _, kind := range []string{"grpc-serving", "grpc-passing", "grpc-quiet-hop"} {
		addr := loopback.Address(t)
		pids = append(pids, started(t, addr, program.Command(t, peer, kind, addr, next)))
		next = addr
	}
	seen := &traces{all: map[[16]byte]*trace{}}
	e := watch(t, seen)
	rules := []probe.Rule{{Path: "/1/none/*", Ratio: "0"}, {Path: "/1/all/*", Ratio: "1"}, {Method: "GET", Path: "/1/some/*", Ratio: "0.1"}}
	first, err := probe.SampleRatio(0.5).WithRules(rules)
	if err != nil {
		t.Fatal(err)
	}
	for i, pid := range pids {
		target := probe.Target{PID: pid, Propagate: true, Children: true, Sampling: probe.SampleRatio(0)}
		if i == len(pids)-1 {
			target.Sampling = first
		}
		if err := e.AddTarget(target); err != nil {
			t.Fatal(err)
		}
	}
	shares := map[string]float64{"none": 0, "all": 1, "some": 0.1, "other": 0.5}
	const each = 200
	for i := range each {
		for kind := range shares {
			ask(t, fmt.Sprintf("http://%s/1/%s/%d", next, kind, i))
		}
	}
	time.Sleep(time.Second)
	seen.judge(t, shares, each)
	t.Logf("losses: %v", e.Drops())
}

// watch loads an engine until the test ends.
func watch(t *testing.T, seen *traces) *bpf.Engine {
	t.Helper()
	e, err := bpf.Load(bpf.Options{AtOnce: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, seen.add) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	e.AwaitProtocols()
	return e
}

func ask(t *testing.T, url string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", url, answer.StatusCode, text)
	}
}

// judge compares each trace that a request has begun with what its path is to come to.
func (s *traces) judge(t *testing.T, shares map[string]float64, each int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	recorded, total, whole := map[string]int{}, map[string]int{}, 0
	for id, of := range s.all {
		if of.path == "" {
			continue // of what a program asks on its own account
		}
		kind := strings.Split(of.path, "/")[2]
		want := probe.SampleRatio(shares[kind]).Records(id)
		total[kind]++
		if want {
			recorded[kind]++
		}
		if of.flags[1] > 0 != want || of.flags[0] > 0 == want {
			t.Errorf("%s: recorded at %d places and at %d not, want %v", of.path, of.flags[1], of.flags[0], want)
		}
		if len(of.protocols) >= 6 {
			whole++
		}
	}
	t.Logf("of each %d traces are recorded %v; %d go through all protocols, such as %v", each, recorded, whole, anyOf(s.all))
	for kind := range shares {
		if total[kind] != each {
			t.Errorf("%d traces begin at %s, want %d", total[kind], kind, each)
		}
	}
	if recorded["none"] > 0 || recorded["all"] != each || recorded["some"] < 5 || recorded["some"] > 40 || recorded["other"] < 60 || recorded["other"] > 140 {
		t.Errorf("recorded are %v", recorded)
	}
	if whole < each*len(shares)*95/100 {
		t.Errorf("%d of %d traces go through all protocols", whole, each*len(shares))
	}
}

func anyOf(all map[[16]byte]*trace) map[string]int {
	for _, of := range all {
		if of.path != "" {
			return of.protocols
		}
	}
	return nil
}
