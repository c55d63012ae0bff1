package bpf_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/bpf/flow"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// uploads is both ends of a connection: it sends so many bytes one way and a tenth back, and
// says when all has arrived; then it waits.
const uploads = `
import socket, sys, threading
n = int(sys.argv[2])
if sys.argv[1] == "serve":
    l = socket.create_server(("127.0.0.1", 7000))
    print("ready", flush=True)
    c, _ = l.accept()
    left = n
    while left: left -= len(c.recv(65536))
    c.sendall(b"x" * (n // 10))
else:
    print("ready", flush=True)
    sys.stdin.readline()
    c = socket.create_connection(("127.0.0.1", 7000))
    c.sendall(b"x" * n)
    left = n // 10
    while left: left -= len(c.recv(65536))
print("done", flush=True)
sys.stdin.readline()
`

// partner is one of the two programs.
type partner struct {
	pid   uint32
	in    io.Writer
	lines *bufio.Scanner
}

func (p *partner) says(t *testing.T, want string) {
	t.Helper()
	if !p.lines.Scan() || p.lines.Text() != want {
		t.Fatalf("says %q, want %q", p.lines.Text(), want)
	}
}

func startPartner(t *testing.T, namespace, role string, bytes int) *partner {
	t.Helper()
	program.Need(t, "python3")
	cmd := program.Command(t, "ip", "netns", "exec", namespace, "python3", "-c", uploads, role, strconv.Itoa(bytes))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	p := &partner{pid: uint32(cmd.Process.Pid), in: in, lines: bufio.NewScanner(out)} // ip becomes the program
	p.says(t, "ready")
	return p
}

// badNetwork is a namespace whose loopback is slow, and loses every twentieth packet.
func badNetwork(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("odi-test-%d", os.Getpid())
	run := func(words ...string) {
		t.Helper()
		if out, err := program.Command(t, words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", words, err, out)
		}
	}
	run("ip", "netns", "add", name)
	t.Cleanup(func() { run("ip", "netns", "delete", name) })
	run("ip", "-n", name, "link", "set", "lo", "mtu", "1500", "up")
	run("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", "30mbit", "burst", "16kb", "latency", "30ms")
	run("ip", "netns", "exec", name, "iptables", "-A", "INPUT", "-p", "tcp", "-m", "statistic", "--mode", "nth", "--every", "20", "--packet", "0", "-j", "DROP")
	return name
}

// seenBySS is what ss says of a connection.
type seenBySS struct {
	acked, received, resent uint64
	rtt                     time.Duration
}

func askSS(t *testing.T, namespace, filter string) seenBySS {
	t.Helper()
	program.Need(t, "ss")
	out, err := program.Command(t, "ip", "netns", "exec", namespace, "ss", "-tinHO", "state", "established", filter).CombinedOutput()
	if err != nil || strings.Count(strings.TrimSpace(string(out)), "\n") != 0 {
		t.Fatalf("ss: %v: %s", err, out)
	}
	number := func(pattern string) float64 {
		found := regexp.MustCompile(`[ ]` + pattern).FindStringSubmatch(string(out))
		if found == nil {
			return 0
		}
		n, _ := strconv.ParseFloat(found[1], 64)
		return n
	}
	return seenBySS{
		acked:    uint64(number(`bytes_acked:(\d+)`)),
		received: uint64(number(`bytes_received:(\d+)`)),
		resent:   uint64(number(`retrans:\d+/(\d+)`)),
		rtt:      time.Duration(number(`rtt:([\d.]+)`) * float64(time.Millisecond)),
	}
}

// TestFlowsOnABadNetwork compares what the engine has with what ss says.
func TestFlowsOnABadNetwork(t *testing.T) {
	needRoot(t)
	namespace := badNetwork(t)
	const bytes, port = 2_000_000, 7000
	server, client := startPartner(t, namespace, "serve", bytes), startPartner(t, namespace, "ask", bytes)
	r := record(t)
	for _, p := range []*partner{server, client} {
		if err := r.engine.AddTarget(probe.Target{PID: p.pid}); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintln(client.in)
	client.says(t, "done")
	server.says(t, "done")
	time.Sleep(time.Second) // the last segments are acknowledged
	for _, side := range []struct {
		pid    uint32
		role   flow.Role
		filter string
		bytes  uint64
	}{{client.pid, flow.Client, "( dport = :7000 )", bytes}, {server.pid, flow.Server, "( sport = :7000 )", bytes / 10}} {
		want := askSS(t, namespace, side.filter)
		got := flowsOf(t, r.engine, side.pid, side.role, port)
		t.Logf("%v: ss has %+v, the engine %d bytes sent, %d received, %d segments again, %d us", side.role, want, got.Sent, got.Received, got.Resent, got.RTTMicros)
		if side.role == flow.Client {
			want.acked-- // the SYN
		}
		if got.Opened != 1 || got.Sent != want.acked || got.Sent != side.bytes || got.Received != want.received || got.Resent != want.resent {
			t.Errorf("%v: %+v, want %+v", side.role, got, want)
		}
		rtt := time.Duration(got.RTTMicros) * time.Microsecond
		if d := rtt - want.rtt; d < -time.Millisecond/2 || d > time.Millisecond/2 {
			t.Errorf("%v: round trips take %v, ss says %v", side.role, rtt, want.rtt)
		}
	}
	if got := flowsOf(t, r.engine, client.pid, flow.Client, port); got.Resent < 10 || got.RTTMicros < 1000 {
		t.Errorf("the network was not bad: %+v", got)
	}
}
