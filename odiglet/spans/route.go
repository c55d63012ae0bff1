package spans

import (
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/odiglet/routes"
)

// name gives the span the name of its route, and the route itself to whom its
// protocol says.
func (p *Pipeline) name(o *Origin, x *probe.Exchange) {
	path := &p.span.Path
	if path.Route == "" {
		return
	}
	q := &p.asked
	q.Service = routes.Service{Namespace: o.Service.Namespace, Name: o.Service.Name}
	q.Client, q.Server = x.Kind == probe.Client, routes.Server{}
	if q.Client {
		q.Server = routes.Server{Address: p.span.Server, Port: p.span.Port}
	}
	q.Method, q.Path, q.Cut = p.span.Name, path.Text, path.Cut
	q.Status, q.Patterns, q.Times = int(x.StatusCode), o.Routes, x.Requests()
	found := p.Routes.Name(q)
	if found.Route == "" {
		return
	}
	p.span.Name = found.Span
	if path.RouteIsLabel {
		p.span.LabelText(path.Route, found.Route)
		return
	}
	p.span.PutText(path.Route, found.Route)
}
