// Package loopback has addresses for servers that tests start.
package loopback

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
)

// firstPort is above those that servers of a machine usually have.
const firstPort = 10_000

// Address returns an address of 127.0.0.1 that nobody listens on. Its port is none of
// those that the kernel gives connections (ip_local_port_range): one of these may be a
// connection's before the server that a test starts gets to listen there.
func Address(t testing.TB) string {
	t.Helper()
	beyond := portsOfConnections(t)
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+rand.IntN(beyond-firstPort)))
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue // somebody listens
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatalf("no port from %d to %d is free", firstPort, beyond)
	return ""
}

// Port returns the port of such an address.
func Port(t testing.TB) string {
	t.Helper()
	_, port, err := net.SplitHostPort(Address(t))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// portsOfConnections returns the first port that the kernel gives connections.
func portsOfConnections(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Fatal(err)
	}
	fields := bytes.Fields(text)
	if len(fields) == 0 {
		t.Fatalf("ip_local_port_range is %q", text)
	}
	first, err := strconv.Atoi(string(fields[0]))
	if err != nil {
		t.Fatal(err)
	}
	return max(first, 2*firstPort) // where connections may have all ports, any is as good
}
