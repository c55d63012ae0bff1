package agentsextension

import (
	"context"
	"net/netip"
	"time"
)

// Refusal is why somebody may not send; it is a label of metrics.
type Refusal string

// The refusals. Those that may pass are answered so that the sender tries again.
const (
	Accepted Refusal = ""
	// Unknown is an address that no pod of the node has, or not yet.
	Unknown Refusal = "unknown_peer"
	// NoTable means that the odiglet has not said lately who is who.
	NoTable Refusal = "no_table"
	// NotInstrumented is a pod that has no agent by odi's decision.
	NotInstrumented Refusal = "not_instrumented"
	// NotThatPod is a claim, from the node's own address, to be a pod that is not in
	// the node's network.
	NotThatPod Refusal = "not_that_pod"
	// TooMany are more requests at a time than one pod, or all, may have.
	TooMany Refusal = "too_many"
)

// Passes says whether the sender may try again.
func (r Refusal) Passes() bool { return r == Unknown || r == NoTable || r == TooMany }

// Peer is who is at the other end of a connection: a pod, or somebody in the node's
// own network, who has to say which pod of those it is.
type Peer struct {
	address netip.Addr
	pod     *Pod
	index   *index
}

type peerKey struct{}

// PeerOf finds who sent a request that the middleware let in.
func PeerOf(ctx context.Context) (Peer, bool) {
	p, ok := ctx.Value(peerKey{}).(Peer)
	return p, ok
}

// Pod is whose the data is. claimed is the k8s.pod.uid that it says, which counts only
// where several pods share the node's address.
func (p Peer) Pod(claimed string) (*Pod, Refusal) {
	pod := p.pod
	if pod == nil {
		pod = p.index.onHost[claimed]
	}
	switch {
	case pod == nil:
		return nil, NotThatPod
	case len(pod.Containers) == 0:
		return nil, NotInstrumented
	}
	return pod, Accepted
}

// who judges an address before anything is read.
func (e *Extension) who(address netip.Addr, now time.Time) (Peer, Refusal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.index == nil || now.Sub(e.heard) > staleAfter {
		return Peer{}, NoTable
	}
	address = address.Unmap().WithZone("")
	peer := Peer{address: address, index: e.index, pod: e.index.byAddress[address]}
	switch {
	case peer.pod != nil:
		_, why := peer.Pod("")
		return peer, why
	case !e.index.host[address]:
		return Peer{}, Unknown
	}
	for _, p := range e.index.onHost {
		if len(p.Containers) > 0 {
			return peer, Accepted
		}
	}
	return Peer{}, NotInstrumented
}
