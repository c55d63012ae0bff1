package spans

import (
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/graph"
)

// connect counts the request for the service graph, whoever reports it: agents have no such metrics.
// Lookups and handshakes are no requests, and a Unix socket, whose ends have no address, leads to no other
// workload. Below TLS the address may be unknown all the same.
func (p *Pipeline) connect(r *result, x *probe.Exchange) {
	if p.Graph == nil || !r.origin.Metrics || p.span.Measured || !x.Peer.IsValid() && !x.TLS {
		return
	}
	p.Graph.Record(&graph.Request{
		Of: &r.origin.Service, Kind: x.Kind, Connection: r.room.Connection, Local: x.Local, Peer: x.Peer,
		Server: p.span.Server, Linked: x.Link == probe.LinkHeader, Failed: p.span.Failed, Start: x.Start, End: x.End, Tally: x.Tally,
	})
}
