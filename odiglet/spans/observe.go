package spans

import (
	"bytes"
	"strings"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/red"
	"github.com/odi-dev/odi/odiglet/routes"
)

// observation is what the pipeline itself looks at of a request.
type observation struct {
	path, userAgent string
	measured        red.Request
}

// observe picks it out of the span's attributes, in one pass.
func observe(x *probe.Exchange, span *probe.Span) observation {
	o := observation{measured: red.Request{Status: int(x.StatusCode)}}
	r := &o.measured
	if x.Kind == probe.Client {
		r.Kind = red.Client
	}
	for i := range span.Attributes {
		a := &span.Attributes[i]
		switch a.Key {
		case telemetry.HTTPRequestMethod:
			r.Method = a.Text
		case telemetry.URLScheme:
			r.Scheme = a.Text
		case telemetry.ErrorType:
			r.ErrorType = a.Text
		case telemetry.ServerAddress:
			r.Server = a.Text
		case telemetry.ServerPort:
			r.Port = int(a.Number)
		case telemetry.URLPath:
			o.path = a.Text
		case telemetry.URLFull:
			o.path = pathOf(a.Text)
		case telemetry.UserAgentOriginal:
			o.userAgent = a.Text
		}
	}
	return o
}

// pathOf returns the path of a URL.
func pathOf(full string) string {
	_, rest, _ := strings.Cut(full, "://")
	from := strings.IndexByte(rest, '/')
	if from < 0 {
		return ""
	}
	path, _, _ := strings.Cut(rest[from:], "?")
	return path
}

// name gives the span the name of its route, and the measurement of a server the
// route. The conventions know none in the metrics of clients.
func (p *Pipeline) name(o *Origin, x *probe.Exchange, seen *observation) {
	isClient := x.Kind == probe.Client
	q := &p.asked
	q.Service = routes.Service{Namespace: o.Service.Namespace, Name: o.Service.Name}
	q.Client, q.Server = isClient, routes.Server{}
	if isClient {
		q.Server = routes.Server{Address: seen.measured.Server, Port: seen.measured.Port}
	}
	q.Method, q.Path, q.Cut = p.span.Name, seen.path, isCut(x)
	q.Status, q.Patterns = seen.measured.Status, o.Routes
	found := p.Routes.Name(q)
	if found.Route == "" {
		return
	}
	p.span.Name = found.Span
	if isClient {
		p.span.PutText(telemetry.URLTemplate, found.Route)
		return
	}
	p.span.PutText(telemetry.HTTPRoute, found.Route)
	seen.measured.Route = found.Route
}

// isCut says whether the target of the request was longer than what was kept.
func isCut(x *probe.Exchange) bool {
	return x.HeadTruncated && bytes.IndexByte(x.RequestHead, '\n') < 0
}
