package dns_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/dns"
	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

func TestMain(m *testing.M) {
	guard.Main() // engines of these tests start the test's binary as one
	os.Exit(m.Run())
}

// place is a network namespace with a server of DNS in it, which everybody there asks.
type place struct {
	name string
}

// newPlace has a search list as a pod has.
func newPlace(t *testing.T) place {
	t.Helper()
	p := place{name: fmt.Sprintf("odi-dns-%d", os.Getpid())}
	run(t, "ip", "netns", "add", p.name)
	t.Cleanup(func() { run(t, "ip", "netns", "delete", p.name) })
	run(t, "ip", "-n", p.name, "link", "set", "lo", "up")
	etc := filepath.Join("/etc/netns", p.name)
	if err := os.MkdirAll(etc, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.RemoveAll(etc)
		_ = os.Remove("/etc/netns") // if nobody else has a namespace there
	})
	conf := "nameserver 127.0.0.1\nsearch shop.svc.test svc.test cluster.test\noptions ndots:5 timeout:1 attempts:1\n"
	if err := os.WriteFile(filepath.Join(etc, "resolv.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--pid-file=", "--user=root", "--local=/test/", "--local=/example/", "--local=/nowhere/",
		"--host-record=cart.shop.svc.test,192.0.2.1,2001:db8::1", "--host-record=db.cluster.test,192.0.2.2", "--host-record=www.example,192.0.2.3"}
	for i := range 40 {
		args = append(args, fmt.Sprintf("--txt-record=big.example,%0100d", i))
	}
	server := p.command(t, "dnsmasq", args...)
	roomtest.Start(t, server)
	return p
}

func run(t *testing.T, words ...string) {
	t.Helper()
	if out, err := program.Command(t, words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", words, err, out)
	}
}

// command runs a program there.
func (p place) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	if !strings.Contains(name, "/") {
		program.Need(t, name)
	}
	return program.Command(t, "ip", append([]string{"netns", "exec", p.name, name}, args...)...)
}

// resolver is a program that looks up what it is told.
type resolver struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func (p place) resolver(t *testing.T, name string, args ...string) *resolver {
	t.Helper()
	cmd := p.command(t, name, args...)
	in, out := roomtest.Talk(t, cmd)
	r := &resolver{cmd, in, out}
	if !r.out.Scan() { // ip has become the program
		t.Fatal("it does not start")
	}
	return r
}

// looksUp checks what the program itself gets.
func (r *resolver) looksUp(t *testing.T, name string, want int) {
	t.Helper()
	fmt.Fprintln(r.in, name)
	var got string
	var n int
	var failed bool
	if !r.out.Scan() {
		t.Fatal("it has ended")
	}
	if _, err := fmt.Sscan(r.out.Text(), &got, &n, &failed); err != nil || got != name || n != want || failed != (want == 0) {
		t.Fatalf("looks up %s: %s, want %d", name, r.out.Text(), want)
	}
}

// settled returns the lookups, once those that might have gone on have not.
func settled(s *roomtest.Seen) map[string]int {
	time.Sleep(2500 * time.Millisecond)
	return s.Counts(probe.Client)
}

// TestResolvers has the resolvers of three libraries ask a real server. Those in C do what a
// lookup needs on one thread: that is one lookup. Go's asks for each kind and name from a
// goroutine of its own, on a socket of its own: nothing proves what belongs together.
func TestResolvers(t *testing.T) {
	s := roomtest.Watch(t, dns.Protocol)
	p := newPlace(t)
	dir := t.TempDir()
	for compiler, name := range map[string]string{"gcc": "glibc", "musl-gcc": "musl"} {
		run(t, compiler, "-o", filepath.Join(dir, name), "testdata/resolve.c")
	}
	run(t, "go", "build", "-o", filepath.Join(dir, "go"), "./testdata/resolve")
	const found, far, nowhere = "A cart.shop.svc.test", "A db.cluster.test", "A nowhere NXDOMAIN"
	inC := map[string]int{found: 3, far: 2, nowhere: 2, "A www.example": 1}
	for name, want := range map[string]map[string]int{
		"glibc": inC,
		"musl":  inC,
		"go": {
			found: 3, "AAAA cart.shop.svc.test": 3,
			"A db.shop.svc.test NXDOMAIN": 2, "AAAA db.shop.svc.test NXDOMAIN": 2, "A db.svc.test NXDOMAIN": 2, "AAAA db.svc.test NXDOMAIN": 2,
			far: 2, "AAAA db.cluster.test": 2,
			"A nowhere.shop.svc.test NXDOMAIN": 2, "AAAA nowhere.shop.svc.test NXDOMAIN": 2, "A nowhere.svc.test NXDOMAIN": 2,
			"AAAA nowhere.svc.test NXDOMAIN": 2, "A nowhere.cluster.test NXDOMAIN": 2, "AAAA nowhere.cluster.test NXDOMAIN": 2,
			nowhere: 2, "AAAA nowhere NXDOMAIN": 2,
			"A www.example": 1, "AAAA www.example": 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := p.resolver(t, filepath.Join(dir, name))
			s.Target(t, r.cmd)
			s.Reset()
			for range 3 {
				r.looksUp(t, "cart", 2)
			}
			for range 2 {
				r.looksUp(t, "db", 1)
				r.looksUp(t, "nowhere", 0)
			}
			r.looksUp(t, "www.example.", 1)
			if diff := cmp.Diff(want, settled(s)); diff != "" {
				t.Errorf("lookups (-want +got):\n%s", diff)
			}
			for _, span := range s.Spans(probe.Client) {
				if !span.Measured || span.Instrument == nil || name != "musl" && roomtest.Text(&span, "server.address") != "127.0.0.1" {
					t.Errorf("%+v", span)
				}
			}
		})
	}
	t.Run("an answer that is cut is asked for over TCP", func(t *testing.T) {
		r := p.resolver(t, filepath.Join(dir, "go"))
		s.Target(t, r.cmd)
		s.Reset()
		r.looksUp(t, "txt:big.example.", 40)
		r.looksUp(t, "txt:big.example.", 40)
		if diff := cmp.Diff(map[string]int{"TXT big.example": 2}, settled(s)); diff != "" {
			t.Errorf("lookups (-want +got):\n%s", diff)
		}
	})
}
