package agentsextension

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

const (
	// maxPods is several times what a node may have.
	maxPods = 4096
	// maxAttributes bounds what is written on every resource.
	maxAttributes = 256
)

// Table is what the odiglet says of its node.
type Table struct {
	// Node is its name.
	Node string `json:"node"`
	// HostAddresses are those that pods in the node's own network send from.
	HostAddresses []netip.Addr `json:"hostAddresses,omitempty"`
	// Pods are all that run on the node.
	Pods []Pod `json:"pods"`
}

// Pod is one of the table.
type Pod struct {
	UID string `json:"uid"`
	// Addresses are its own; none for one in the node's network.
	Addresses   []netip.Addr `json:"addresses,omitempty"`
	HostNetwork bool         `json:"hostNetwork,omitempty"`
	// Signals that are wanted of it.
	Signals []string `json:"signals,omitempty"`
	// Ignored are paths whose requests the user left out, exact or ending in *.
	Ignored []string `json:"ignored,omitempty"`
	// Containers that have an agent by odi's decision; nobody else may send.
	Containers map[string]Identity `json:"containers,omitempty"`

	common Identity // what its containers share
}

// Identity is what resources of a container carry, whatever was sent.
type Identity struct {
	Attributes map[string]string   `json:"attributes"`
	Lists      map[string][]string `json:"lists,omitempty"`
	// Probes are the paths that the kubelet asks of the container; no resource has them.
	Probes []string `json:"probes,omitempty"`
}

// Of is the identity of one of the pod's containers, by the name that the sender
// claims: a pod's containers share an address. Without a name that the pod has it is
// what they all share.
func (p *Pod) Of(container string) (Identity, string) {
	if len(p.Containers) == 1 {
		for name, only := range p.Containers {
			return only, name
		}
	}
	if found, ok := p.Containers[container]; ok {
		return found, container
	}
	return p.common, ""
}

// Wants says whether a signal of the pod is asked for.
func (p *Pod) Wants(signal string) bool { return slices.Contains(p.Signals, signal) }

// share finds what all containers agree on, and what the kubelet asks of any of them.
func (p *Pod) share() {
	p.common = Identity{Attributes: map[string]string{}}
	first := true
	for _, c := range p.Containers {
		p.common.Probes = append(p.common.Probes, c.Probes...)
		if first {
			for key, value := range c.Attributes {
				p.common.Attributes[key] = value
			}
			first = false
			continue
		}
		for key, value := range p.common.Attributes {
			if c.Attributes[key] != value {
				delete(p.common.Attributes, key)
			}
		}
	}
}

// index finds pods by address and, in the node's network, by UID.
type index struct {
	byAddress map[netip.Addr]*Pod
	onHost    map[string]*Pod
	host      map[netip.Addr]bool
	pods      map[string]*Pod
}

// newIndex refuses a table that is none. An address that two pods have is nobody's.
func newIndex(t *Table) (*index, error) {
	if len(t.Pods) > maxPods {
		return nil, fmt.Errorf("%d pods are more than a node has", len(t.Pods))
	}
	x := &index{
		byAddress: make(map[netip.Addr]*Pod), onHost: make(map[string]*Pod),
		host: make(map[netip.Addr]bool), pods: make(map[string]*Pod),
	}
	for _, a := range t.HostAddresses {
		x.host[a.Unmap()] = true
	}
	twice := make(map[netip.Addr]bool)
	for i := range t.Pods {
		p := &t.Pods[i]
		if err := p.check(); err != nil {
			return nil, err
		}
		p.share()
		x.pods[p.UID] = p
		x.place(p, twice)
	}
	for a := range twice {
		delete(x.byAddress, a)
	}
	return x, nil
}

func (p *Pod) check() error {
	if p.UID == "" {
		return errors.New("a pod has no UID")
	}
	for name, c := range p.Containers {
		if len(c.Attributes)+len(c.Lists) > maxAttributes {
			return fmt.Errorf("container %q has %d attributes", name, len(c.Attributes))
		}
	}
	return nil
}

// place notes where a pod sends from, and the addresses that it is not alone with.
func (x *index) place(p *Pod, twice map[netip.Addr]bool) {
	if p.HostNetwork {
		x.onHost[p.UID] = p
		return
	}
	for _, a := range p.Addresses {
		a = a.Unmap()
		if x.byAddress[a] != nil || x.host[a] {
			twice[a] = true
		}
		x.byAddress[a] = p
	}
}
