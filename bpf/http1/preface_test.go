package http1

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
)

// binaryPreface is a header of the PROXY protocol, version 2.
func binaryPreface(command, family byte, addresses ...byte) string {
	head := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, family)
	return string(append(binary.BigEndian.AppendUint16(head, uint16(len(addresses))), addresses...))
}

func TestPreface(t *testing.T) {
	v6 := net.ParseIP("2001:db8::7")
	addresses6 := append(append(append([]byte{}, v6...), net.ParseIP("2001:db8::8")...), 1, 2, 3, 4)
	mapped := append(append(append([]byte{}, net.ParseIP("203.0.113.7").To16()...), make([]byte, 16)...), 1, 2, 3, 4)
	addresses4 := []byte{203, 0, 113, 7, 198, 51, 100, 1, 1, 2, 3, 4}
	const peer = "10.0.0.9"
	for name, tc := range map[string]struct {
		preface, forwarded string
		want               string
	}{
		"none":                           {want: peer},
		"version 1, IPv4":                {preface: "PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n", want: "203.0.113.7"},
		"version 1, IPv6":                {preface: "PROXY TCP6 2001:db8::7 2001:db8::8 56324 443\r\n", want: "2001:db8::7"},
		"version 1, mapped":              {preface: "PROXY TCP6 ::ffff:203.0.113.7 ::ffff:198.51.100.1 56324 443\r\n", want: "203.0.113.7"},
		"version 1, unknown":             {preface: "PROXY UNKNOWN\r\n", want: peer},
		"version 1, a health check":      {preface: "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", want: peer},
		"version 1, no address":          {preface: "PROXY TCP4 somebody 198.51.100.1 56324 443\r\n", want: peer},
		"version 2, IPv4":                {preface: binaryPreface(0x21, 0x11, addresses4...), want: "203.0.113.7"},
		"version 2, with more behind it": {preface: binaryPreface(0x21, 0x11, append(addresses4, make([]byte, 90)...)...)[:52], want: "203.0.113.7"},
		"version 2, IPv6":                {preface: binaryPreface(0x21, 0x21, addresses6...), want: "2001:db8::7"},
		"version 2, mapped":              {preface: binaryPreface(0x21, 0x21, mapped...), want: "203.0.113.7"},
		"version 2, of the proxy itself": {preface: binaryPreface(0x20, 0x11, addresses4...), want: peer},
		"version 2, a Unix socket":       {preface: binaryPreface(0x21, 0x31, make([]byte, 216)...)[:52], want: peer},
		"version 2, too short":           {preface: binaryPreface(0x21, 0x11, addresses4[:8]...), want: peer},
		"X-Forwarded-For wins":           {preface: "PROXY TCP4 203.0.113.7 198.51.100.1 1 2\r\n", forwarded: "192.0.2.1", want: "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			head := "GET /a HTTP/1.1\r\nHost: shop\r\n"
			if tc.forwarded != "" {
				head += "X-Forwarded-For: " + tc.forwarded + "\r\n"
			}
			x := serverExchange(head + "\r\n")
			if tc.preface != "" {
				x.Preface = []byte(tc.preface)
			}
			for _, joined := range []bool{false, true} { // the first request may come in one read with the header
				if joined && strings.HasPrefix(tc.preface, "PROXY ") {
					x.RequestHead = append([]byte(tc.preface), head+"\r\n"...)
				}
				got := values(t, decode(x))
				if got["client.address"] != tc.want || got["url.path"] != "/a" {
					t.Errorf("client %v, path %v, want %s and /a", got["client.address"], got["url.path"], tc.want)
				}
			}
		})
	}
}

func serverExchange(head string) probe.Exchange {
	return probe.Exchange{
		Kind: probe.Server, Local: netip.MustParseAddrPort("10.0.0.1:8080"), Peer: netip.MustParseAddrPort("10.0.0.9:40000"),
		StatusCode: 200, RequestBodySize: -1, ResponseBodySize: -1, RequestHead: []byte(head),
	}
}
