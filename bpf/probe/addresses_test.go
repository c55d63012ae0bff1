package probe

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

func TestAddressText(t *testing.T) {
	var s Span
	for _, round := range []string{"first", "again"} {
		for n := range uint32(2000) {
			a := netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n*7919)))
			if n%3 == 0 {
				a = netip.AddrFrom16(a.As16()) // mapped, which is another text
			}
			if got := s.AddressText(a); got != a.String() {
				t.Fatalf("%s: %s is said as %q", round, a, got)
			}
			s.Reset()
		}
	}
	if got := s.AddressText(netip.Addr{}); got != "invalid IP" {
		t.Errorf("no address is said as %q", got)
	}
	a := netip.MustParseAddr("10.0.0.9")
	if n := testing.AllocsPerRun(100, func() { s.AddressText(a) }); n > 0 {
		t.Errorf("an address that is known costs %v allocations", n)
	}
}
