package flow

import (
	"net/netip"
	"testing"
)

func TestAddress(t *testing.T) {
	mapped := netip.MustParseAddr("::ffff:192.0.2.7").As16()
	for name, tc := range map[string]struct {
		key  Key
		want netip.Addr
	}{
		"IPv4":          {Key{Family: 2, Peer: [16]byte{192, 0, 2, 7}}, netip.MustParseAddr("192.0.2.7")},
		"IPv6":          {Key{Family: 10, Peer: netip.MustParseAddr("2001:db8::1").As16()}, netip.MustParseAddr("2001:db8::1")},
		"IPv4 in IPv6":  {Key{Family: 10, Peer: mapped}, netip.MustParseAddr("192.0.2.7")},
		"any":           {Key{Peer: [16]byte{1}}, netip.Addr{}},
		"what is wrong": {Key{Family: 99, Peer: [16]byte{1}}, netip.Addr{}},
	} {
		if got := tc.key.Address(); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// TestSums gives every counter a value of its own: none is forgotten, none is counted twice.
func TestSums(t *testing.T) {
	var before, after Sums
	n := uint64(0)
	count := func(mine *uint64, _ uint64) { n++; *mine = n }
	before.each(&Sums{}, count)
	after.each(&Sums{}, func(mine *uint64, _ uint64) { n += 2; *mine = 10 * n })
	news := after.Since(before)
	sum := before
	sum.Add(news)
	if sum != after {
		t.Errorf("before and news are %+v, want %+v", sum, after)
	}
	if news.Since(news) != (Sums{}) {
		t.Error("there is news without any")
	}
	anew := Sums{Opened: 2}
	if got := anew.Since(Sums{Opened: 5}); got != anew {
		t.Errorf("what began anew has brought %+v", got)
	}
}
