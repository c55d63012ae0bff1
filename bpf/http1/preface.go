package http1

import (
	"bytes"
	"net/netip"
	"strings"
)

// preface2 is the signature of the binary header of the PROXY protocol.
var preface2 = []byte("\r\n\r\n\x00\r\nQUIT\n")

// prefaceClient returns the client's address of a header of the PROXY protocol
// (haproxy.org/download/3.0/doc/proxy-protocol.txt), which ends somewhere in raw. It
// is invalid where the header names none: health checks, other address families.
func prefaceClient(raw []byte) netip.Addr {
	if bytes.HasPrefix(raw, preface2) {
		return binaryClient(raw[len(preface2):])
	}
	line, _, _ := strings.Cut(string(raw), "\r\n")
	fields := strings.Split(line, " ") // PROXY TCP4 client server port port
	if len(fields) != 6 || fields[0] != "PROXY" || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return netip.Addr{} // what follows UNKNOWN is to be ignored
	}
	addr, err := netip.ParseAddr(fields[2])
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}

// binaryClient reads what follows the signature: version and command, family and
// transport, length, addresses.
func binaryClient(raw []byte) netip.Addr {
	const (
		proxyCommand = 0x21
		fixed        = 4
	)
	if len(raw) < fixed || raw[0] != proxyCommand {
		return netip.Addr{}
	}
	length := int(raw[2])<<8 | int(raw[3])
	addresses := raw[fixed:]
	switch {
	case raw[1]>>4 == 1 && length >= 12 && len(addresses) >= 12: // IPv4
		return netip.AddrFrom4([4]byte(addresses))
	case raw[1]>>4 == 2 && length >= 36 && len(addresses) >= 36: // IPv6
		return netip.AddrFrom16([16]byte(addresses)).Unmap()
	}
	return netip.Addr{}
}

// withoutPreface cuts off the line that a connection's first head begins with.
func withoutPreface(head, preface []byte) []byte {
	if preface == nil || !bytes.HasPrefix(head, []byte("PROXY ")) {
		return head
	}
	_, rest, _ := bytes.Cut(head, []byte("\n"))
	return rest
}
