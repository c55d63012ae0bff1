// Package loopback has addresses for servers that tests, proofs and benchmarks start.
package loopback

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
)

// firstPort is above those that servers of a machine usually have.
const firstPort = 10_000

// Address is Free for tests.
func Address(t testing.TB) string {
	t.Helper()
	address, err := Free()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Free returns an address of 127.0.0.1 that nobody listens on. Its port is none of
// those that the kernel gives connections (ip_local_port_range): one of these may be a
// connection's before the server that is started for it gets to listen there.
func Free() (string, error) {
	beyond, err := portsOfConnections()
	if err != nil {
		return "", err
	}
	for range 1000 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+rand.IntN(beyond-firstPort)))
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue // somebody listens
		}
		return address, l.Close()
	}
	return "", fmt.Errorf("no port from %d to %d is free", firstPort, beyond)
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
func portsOfConnections() (int, error) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text)
	if len(fields) == 0 {
		return 0, fmt.Errorf("ip_local_port_range is %q", text)
	}
	first, err := strconv.Atoi(string(fields[0]))
	// Where connections may have all ports, any is as good.
	return max(first, 2*firstPort), err
}
