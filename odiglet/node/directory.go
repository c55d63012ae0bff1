package node

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/odiglet/graph"
	"github.com/odi-dev/odi/odiglet/identity"
)

const (
	// maxMembers bounds the pods of a Service that are asked whose they are. One that has more is
	// known by its own name.
	maxMembers = 100
	// maxStrangers bounds the addresses without a Service that are asked about.
	maxStrangers = 256
	// ownPod is what says that a pod of this node has an address; else an EndpointSlice does.
	ownPod = ""
)

// shared is RFC 6598's, which clouds give to pods, too.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// directory knows whose an address is: of the node's pods by their own word, of others by the
// EndpointSlices, and of Services by their addresses. It names nobody who may not have had the address
// all the time that is asked for. It may be used by several goroutines.
type directory struct {
	cluster *cluster
	now     func() time.Time
	wake    chan struct{}

	mu        sync.Mutex
	addresses map[netip.Addr]tenants
	members   map[types.NamespacedName]tenants
	services  map[netip.Addr]types.NamespacedName
	slices    map[string]slice
	pods      map[podRef]*pod // nil: it was gone when it was asked
	wanted    map[podRef]bool
	strangers map[netip.Addr]*stranger
}

// stranger is an address that no Service and no pod of the node has.
type stranger struct {
	pod     *pod // nil: nobody's, or several pods'
	checked time.Time
	wanted  bool
}

func newDirectory(c *cluster) *directory {
	return &directory{
		cluster: c, now: time.Now, wake: make(chan struct{}, 1),
		addresses: make(map[netip.Addr]tenants), members: make(map[types.NamespacedName]tenants),
		services: make(map[netip.Addr]types.NamespacedName), slices: make(map[string]slice),
		pods: make(map[podRef]*pod), wanted: make(map[podRef]bool), strangers: make(map[netip.Addr]*stranger),
	}
}

// Find implements graph.Directory.
func (d *directory) Find(q graph.Question) graph.Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	if service, ok := d.services[q.Peer]; ok {
		return d.service(service, q)
	}
	had := d.addresses[q.Peer].since(q.First)
	switch len(had) {
	case 0:
		return d.stranger(q)
	case 1:
		return d.only(had[0], q)
	}
	return graph.Answer{} // one after the other
}

// only answers for the one pod that is known to have had the address; d.mu is held.
func (d *directory) only(ref podRef, q graph.Question) graph.Answer {
	p, state := d.pod(ref)
	if state != graph.Known {
		return graph.Answer{State: state}
	}
	if until := d.addresses[q.Peer][ref].until; !until.IsZero() && until.Before(q.Last) {
		return graph.Answer{}
	}
	if p.since.IsZero() && !p.hostNetwork {
		return graph.Answer{State: d.want(ref)} // it was asked before it ran
	}
	return d.held(p, q.First)
}

// held answers for a pod, if it is sure to have had its address at first.
func (d *directory) held(p *pod, first time.Time) graph.Answer {
	if p.hostNetwork || p.since.IsZero() || p.since.After(first) {
		return graph.Answer{}
	}
	return d.cluster.party(p)
}

// pod finds what is known of a pod, or wants it known; d.mu is held.
func (d *directory) pod(ref podRef) (*pod, graph.State) {
	p, asked := d.pods[ref]
	switch {
	case p != nil:
		return p, graph.Known
	case asked:
		return nil, graph.Unknown
	}
	return nil, d.want(ref)
}

// want has a pod asked for; d.mu is held.
func (d *directory) want(ref podRef) graph.State {
	d.wanted[ref] = true
	d.poke()
	return graph.Pending
}

// service answers for a Service: by the workload, if all its pods are of one, else by its own name.
func (d *directory) service(of types.NamespacedName, q graph.Question) graph.Answer {
	own := graph.Answer{State: graph.Known, Party: identity.Party{Name: of.Name, Namespace: of.Namespace, Cluster: true}}
	pods := d.members[of].since(q.First)
	if len(pods) == 0 || len(pods) > maxMembers {
		return own
	}
	var all []graph.Answer
	pending := false
	for _, ref := range pods {
		p, state := d.pod(ref)
		switch state {
		case graph.Pending:
			pending = true
		case graph.Known:
			one := d.cluster.party(p)
			all, pending = append(all, one), pending || one.State == graph.Pending
		}
	}
	if pending {
		return graph.Answer{State: graph.Pending}
	}
	if len(all) < len(pods) || slices.ContainsFunc(all, func(a graph.Answer) bool { return a.Party != all[0].Party }) {
		return own
	}
	all[0].Observed = !slices.ContainsFunc(all, func(a graph.Answer) bool { return !a.Observed })
	return all[0]
}

// stranger answers for an address that nothing is known of: the API server is asked, and again after each
// time that it was seen, since nobody tells when it becomes another's. d.mu is held.
func (d *directory) stranger(q graph.Question) graph.Answer {
	if !q.Peer.IsPrivate() && !shared.Contains(q.Peer) {
		return graph.Answer{}
	}
	s := d.strangers[q.Peer]
	if s == nil {
		if len(d.strangers) >= maxStrangers {
			return graph.Answer{}
		}
		s = &stranger{}
		d.strangers[q.Peer] = s
	}
	if s.checked.After(q.Last) || s.pod == nil && d.now().Sub(s.checked) < remembered {
		if s.pod == nil {
			return graph.Answer{}
		}
		return d.held(s.pod, q.First)
	}
	s.wanted = true
	d.poke()
	return graph.Answer{State: graph.Pending}
}

// poke has the asker look.
func (d *directory) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// sweep forgets what is long gone.
func (d *directory) sweep() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, left := d.now(), make(map[podRef]bool)
	for address, of := range d.addresses {
		if of.forget(now); len(of) == 0 {
			delete(d.addresses, address)
		}
		for ref := range of {
			left[ref] = true
		}
	}
	for service, of := range d.members {
		if of.forget(now); len(of) == 0 {
			delete(d.members, service)
		}
		for ref := range of {
			left[ref] = true
		}
	}
	gone := func(ref podRef) bool { return !left[ref] }
	maps.DeleteFunc(d.pods, func(ref podRef, _ *pod) bool { return gone(ref) })
	maps.DeleteFunc(d.wanted, func(ref podRef, _ bool) bool { return gone(ref) })
	maps.DeleteFunc(d.strangers, func(_ netip.Addr, s *stranger) bool { return now.Sub(s.checked) > remembered && !s.wanted })
}

// party names a pod as its own odiglet does, and says whether that records its requests.
func (c *cluster) party(p *pod) graph.Answer {
	c.mu.RLock()
	ref, decided, selected := c.workloadOf(p)
	asks, workloads := p.asks, p.workloads
	c.mu.RUnlock()
	if asks {
		return graph.Answer{State: graph.Pending}
	}
	if !selected && len(workloads) > 0 {
		ref = workloads[0]
	}
	return graph.Answer{
		State:    graph.Known,
		Party:    partyOf(p, ref),
		Observed: selected && decided.metrics && decided.watches(),
	}
}

func partyOf(p *pod, of workload.Reference) identity.Party {
	return identity.Party{Name: cmp.Or(p.serviceName, of.Name), Namespace: p.namespace, Cluster: true}
}

// watches says whether a container of the workload is watched.
func (d decided) watches() bool {
	for _, method := range d.methods {
		if method == odiv1.MethodEBPF || method == odiv1.MethodAgent {
			return true
		}
	}
	return false
}
