package bpf_test

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/flow"
	"github.com/odi-dev/odi/bpf/probe"
)

// flowsOf adds up what the engine has on a process on one side of its connections, to or on a port.
func flowsOf(t *testing.T, e *bpf.Engine, pid uint32, role flow.Role, port int) (sums flow.Sums) {
	t.Helper()
	all, err := e.Flows()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Key.PID != pid || f.Key.Role != role || int(f.Key.Port) != port {
			continue
		}
		if role == flow.Client && !f.Key.Address().IsLoopback() {
			t.Errorf("the peer of %+v is %v", f.Key, f.Key.Address())
		}
		sums.Add(f.Sums)
	}
	return sums
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// echo answers what it is sent, until the test ends.
func echo(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l
}

// exchangeBytes sends so many and reads them again.
func exchangeBytes(t *testing.T, c net.Conn, n int) {
	t.Helper()
	go func() { _, _ = c.Write(make([]byte, n)) }()
	if _, err := io.ReadFull(c, make([]byte, n)); err != nil {
		t.Error(err)
	}
}

func dialTo(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestFlows has this process be both ends of connections, of which every byte is known. One was
// open before, one stays open; what they carry is no protocol.
func TestFlows(t *testing.T) {
	needRoot(t)
	l := echo(t)
	before := dialTo(t, l)
	exchangeBytes(t, before, 5000)
	r := record(t)
	self := uint32(os.Getpid())
	if err := r.engine.AddTarget(probe.Target{PID: self}); err != nil {
		t.Fatal(err)
	}
	exchangeBytes(t, before, 300)
	const conns, bytes = 20, 100_000
	for range conns {
		c := dialTo(t, l)
		exchangeBytes(t, c, bytes)
		_ = c.Close()
	}
	stays := dialTo(t, l)
	exchangeBytes(t, stays, 7)
	time.Sleep(100 * time.Millisecond)
	for _, role := range []flow.Role{flow.Client, flow.Server} {
		got := flowsOf(t, r.engine, self, role, portOf(l))
		const moved = conns*bytes + 300 + 7
		if got.Opened != conns+1 || got.Sent != moved || got.Received != moved {
			t.Errorf("%v: %d connections, %d bytes sent, %d received; want %d and %d", role, got.Opened, got.Sent, got.Received, conns+1, moved)
		}
		var trips uint64
		for _, n := range got.RTTs {
			trips += n
		}
		if trips != conns+2 || got.RTTMicros == 0 || got.RTTMicros/trips > 100_000 {
			t.Errorf("%v: %d round trips of %d us together", role, trips, got.RTTMicros)
		}
		if bad := got.ResetSent + got.ResetReceived + got.TimedOut + got.Failed[0]; bad != 0 {
			t.Errorf("%v: %+v although all went well", role, got)
		}
	}
	first := flowsOf(t, r.engine, self, flow.Client, portOf(l))
	if again := flowsOf(t, r.engine, self, flow.Client, portOf(l)); again != first {
		t.Errorf("nothing has happened, and there is %+v more", again.Since(first))
	}
}

// TestFlowsThatFail are refused, given up, reset by either side.
func TestFlowsThatFail(t *testing.T) {
	needRoot(t)
	r := record(t)
	self := uint32(os.Getpid())
	if err := r.engine.AddTarget(probe.Target{PID: self}); err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for range 3 {
		if c, err := net.Dial("tcp", closed.Addr().String()); err == nil {
			_ = c.Close()
			t.Fatal("a closed port has answered")
		}
	}
	if got := flowsOf(t, r.engine, self, flow.Client, portOf(closed)); got.Failed[0] != 3 || got.Opened != 0 {
		t.Errorf("refused: %+v", got)
	}

	full := fullListener(t)
	gaveUp := 0
	for range 4 {
		c, err := net.DialTimeout("tcp", full.String(), 100*time.Millisecond)
		if err != nil {
			gaveUp++
			continue
		}
		defer c.Close()
	}
	if got := flowsOf(t, r.engine, self, flow.Client, full.Port); gaveUp == 0 || got.Failed[3] != uint64(gaveUp) || int(got.Opened) != 4-gaveUp {
		t.Errorf("given up %d times: %+v", gaveUp, got)
	}

	l := echo(t)
	const resets = 5
	for range resets {
		c := dialTo(t, l)
		exchangeBytes(t, c, 10)
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	time.Sleep(100 * time.Millisecond)
	if got := flowsOf(t, r.engine, self, flow.Client, portOf(l)); got.ResetSent != resets || got.ResetReceived != 0 {
		t.Errorf("who has reset them: %+v", got)
	}
	if got := flowsOf(t, r.engine, self, flow.Server, portOf(l)); got.ResetReceived != resets || got.ResetSent != 0 {
		t.Errorf("whose were reset: %+v", got)
	}
}

// fullListener listens and accepts nothing: connections beyond its backlog are not answered.
func fullListener(t *testing.T) *net.TCPAddr {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}
}

// TestFlowsOfOthersCostNothing has a process beside a target.
func TestFlowsOfOthersCostNothing(t *testing.T) {
	needRoot(t)
	r := record(t)
	l := echo(t)
	c := dialTo(t, l)
	exchangeBytes(t, c, 10)
	for _, name := range []string{"flow_sums"} {
		if n, err := r.engine.Entries(name); err != nil || n != 0 {
			t.Errorf("%d in %s (%v) although nobody is a target", n, name, err)
		}
	}
}
