package guardextension

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// denied are ranges that are nobody's backend. The manager has the same list
// (internal/outbound), to say so before anything is sent.
var denied = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), // Link-local, with the metadata service of most clouds.
	netip.MustParsePrefix("224.0.0.0/3"),    // Multicast, reserved and broadcast.
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("::/127"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("ff00::/8"),
	netip.MustParsePrefix("fd00:ec2::254/128"),
	netip.MustParsePrefix("64:ff9b::/96"), // It wraps any address of IPv4.
	netip.MustParsePrefix("2002::/16"),    // So does this.
}

// rules say where connections may go.
type rules struct {
	allowed []netip.Prefix
	// alone are single addresses that are denied: the node's, the API server's.
	alone []netip.Addr
	// own returns this machine's addresses, which a pod gets before it starts.
	own func() ([]net.Addr, error)
}

func rulesOf(env func(string) string) (rules, error) {
	r := rules{own: net.InterfaceAddrs}
	for text := range strings.SplitSeq(env(allowVariable), ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return rules{}, fmt.Errorf("%s: %w", allowVariable, err)
		}
		r.allowed = append(r.allowed, prefix)
	}
	for _, name := range []string{nodeVariable, apiServerVariable} {
		if addr, err := netip.ParseAddr(env(name)); err == nil { // Not set outside of a cluster.
			r.alone = append(r.alone, addr.Unmap())
		}
	}
	return r, nil
}

// allow judges one address.
func (r rules) allow(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	contains := func(prefix netip.Prefix) bool { return prefix.Contains(addr) }
	switch {
	case slices.ContainsFunc(r.allowed, contains):
		return true
	case slices.ContainsFunc(denied, contains), slices.Contains(r.alone, addr):
		return false
	}
	own, err := r.own()
	return err == nil && !slices.ContainsFunc(own, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == addr
	})
}
