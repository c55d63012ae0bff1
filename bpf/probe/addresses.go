package probe

import "net/netip"

// addresses are the latest addresses with their texts: connections last, and so do those who open
// them, so most texts are known. Power of two; each address has one place.
type addresses [16]struct {
	address netip.Addr
	text    string
}

// AddressText returns an address as text, which costs memory only where it was not asked for lately.
func (s *Span) AddressText(a netip.Addr) string {
	if s.addresses == nil {
		s.addresses = new(addresses)
	}
	raw := a.As16()
	known := &s.addresses[(raw[15]^raw[14]<<2)%byte(len(s.addresses))]
	if known.address != a || known.text == "" {
		known.address, known.text = a, a.String()
	}
	return known.text
}
