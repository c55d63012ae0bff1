package layout

import (
	"net/netip"
	"strconv"
	"testing"
)

func TestClustersShareNothing(t *testing.T) {
	var ranges []netip.Prefix
	names := map[string]bool{}
	for slot := range Slots {
		c, err := New("c"+strconv.Itoa(slot), strconv.Itoa(slot), "/state")
		if err != nil {
			t.Fatal(err)
		}
		for kind, name := range map[string]string{"state": c.State, "run": c.Run, "netns": c.Netns(), "link": c.HostLink(), "cgroup": c.Cgroup()} {
			if names[kind+name] {
				t.Errorf("two clusters have the %s %s", kind, name)
			}
			names[kind+name] = true
		}
		for _, cidr := range append(c.Ranges(), c.HostLinkIP()+"/30") {
			prefix := netip.MustParsePrefix(cidr).Masked()
			for _, other := range ranges {
				if prefix.Overlaps(other) {
					t.Errorf("slot %d: %s overlaps %s", slot, prefix, other)
				}
			}
			ranges = append(ranges, prefix)
		}
	}
}

func TestAddressesAreInTheRoutedRanges(t *testing.T) {
	c, err := New("", "", "/state")
	if err != nil {
		t.Fatal(err)
	}
	nodes, services := netip.MustParsePrefix(c.Ranges()[0]), netip.MustParsePrefix(c.Ranges()[1])
	for address, in := range map[string]netip.Prefix{c.NodeIP(): nodes, c.APIServiceIP(): services, c.DNSIP(): services} {
		if !in.Contains(netip.MustParseAddr(address)) {
			t.Errorf("%s is not in %s", address, in)
		}
	}
}

func TestNew(t *testing.T) {
	tests := map[string]struct {
		name, slot string
		wantState  string // Empty means an error.
	}{
		"the default needs neither":     {"", "", "/state/cluster"},
		"the default in another slot":   {"", "3", "/state/cluster"},
		"another needs a slot":          {"test", "", ""},
		"another with a slot":           {"test", "1", "/state/cluster-test"},
		"a slot out of range":           {"test", "15", ""},
		"a slot that is no number":      {"test", "one", ""},
		"a name that is no name":        {"Test", "1", ""},
		"a name that leaves the folder": {"../x", "1", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := New(tc.name, tc.slot, "/state")
			if (err == nil) != (tc.wantState != "") || c.State != tc.wantState {
				t.Errorf("got state %q and error %v, want state %q", c.State, err, tc.wantState)
			}
		})
	}
}
