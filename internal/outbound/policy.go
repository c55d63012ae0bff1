package outbound

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/destinations"
)

// denied are ranges that are nobody's backend. The same list is in guardextension,
// which is of another module: TestTheGuardDeniesTheSame.
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

// Policy judges the addresses of Destinations.
type Policy struct {
	// Namespace is odi's own.
	Namespace string
	// Allow are ranges that are allowed although they are denied by default.
	Allow []netip.Prefix
	// Own returns the addresses of odi's own pods and Services.
	Own func() []netip.Addr
}

// APIServer is the address under which pods find the API server; false outside of a cluster.
func APIServer() (netip.Addr, bool) {
	addr, err := netip.ParseAddr(os.Getenv("KUBERNETES_SERVICE_HOST"))
	return addr, err == nil
}

// Check says of each address of a Destination why it is not allowed, as a *destinations.FieldError.
func (p Policy) Check(d *odiv1.Destination) error {
	t, err := destinations.Get(d.Spec.Type)
	if err != nil {
		return err
	}
	var problems []error
	hosts := t.Hosts(d.Spec.Config)
	for _, field := range slices.Sorted(maps.Keys(hosts)) {
		if why := p.refusal(hosts[field]); why != "" {
			problems = append(problems, &destinations.FieldError{Field: field, Problem: fmt.Sprintf("%s is %s", hosts[field], why)})
		}
	}
	return errors.Join(problems...)
}

// refusal says what a host is that no data may go to, empty for any other.
func (p Policy) refusal(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		return p.addressRefusal(addr.Unmap())
	}
	labels := strings.Split(strings.TrimSuffix(strings.ToLower(host), "."), ".")
	if ownMachine(labels) {
		return "the gateway's own machine"
	}
	if addr, ok := p.podAddress(labels); ok {
		return p.addressRefusal(addr)
	}
	for i := range labels {
		if why := p.serviceRefusal(labels, i); why != "" {
			return why
		}
	}
	return ""
}

func ownMachine(labels []string) bool {
	return labels[len(labels)-1] == "localhost" || len(labels) > 1 && labels[0] == "localhost" && labels[1] == "localdomain"
}

// serviceRefusal takes the label at i for the name of a Service, where it can be one.
func (p Policy) serviceRefusal(labels []string, i int) string {
	name := labels[i]
	namespace, inCluster := p.namespaceOf(labels, i)
	switch {
	case !inCluster:
	case namespace == p.Namespace && (strings.HasPrefix(name, "odi-") || name == "odiglet"):
		return "odi itself: data would go round in circles"
	case name == "kubernetes" && (namespace == "default" || len(labels) == 1):
		return "the API server"
	}
	return ""
}

// namespaceOf is where the cluster's DNS has the Service that the label at i names;
// false if it names none.
func (p Policy) namespaceOf(labels []string, i int) (string, bool) {
	rest := labels[i+1:]
	switch {
	case len(labels) == 1:
		// A name without a namespace is looked for in the gateway's.
		return p.Namespace, true
	case len(rest) == 1, len(rest) > 1 && rest[1] == "svc":
		return rest[0], true
	}
	return "", false
}

func (p Policy) addressRefusal(addr netip.Addr) string {
	contains := func(prefix netip.Prefix) bool { return prefix.Contains(addr) }
	switch {
	case slices.ContainsFunc(p.Allow, contains):
		return ""
	case p.Own != nil && slices.Contains(p.Own(), addr):
		return "odi itself: data would go round in circles"
	case slices.ContainsFunc(denied, contains):
		return "an address of the gateway's own machine or network, not of a backend"
	}
	if api, known := APIServer(); known && api == addr {
		return "the API server"
	}
	return ""
}

// podAddress reads the names that a cluster's DNS has for pods: 10-1-2-3.shop.pod.
func (Policy) podAddress(labels []string) (netip.Addr, bool) {
	if len(labels) < 3 || labels[2] != "pod" {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(strings.ReplaceAll(labels[0], "-", "."))
	if err != nil {
		addr, err = netip.ParseAddr(strings.ReplaceAll(labels[0], "-", ":"))
	}
	return addr, err == nil
}
