package web

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/bpf/probe"
)

// Where durations and sizes are recorded.
var (
	served = &probe.Instrument{
		Name: "http.server.request.duration", Description: "Duration of HTTP server requests.",
		RequestBody:  &probe.Sizes{Name: "http.server.request.body.size", Description: "Size of HTTP server request bodies."},
		ResponseBody: &probe.Sizes{Name: "http.server.response.body.size", Description: "Size of HTTP server response bodies."},
	}
	called = &probe.Instrument{
		Name: "http.client.request.duration", Description: "Duration of HTTP client requests.",
		RequestBody:  &probe.Sizes{Name: "http.client.request.body.size", Description: "Size of HTTP client request bodies."},
		ResponseBody: &probe.Sizes{Name: "http.client.response.body.size", Description: "Size of HTTP client response bodies."},
	}
)

// Head is what a span needs of a request head.
type Head struct {
	Method       string
	Version      string
	Target       Target
	UserAgent    string
	Forwarded    string
	ForwardedFor string
	// Client is who a proxy says that it speaks for, where it is not the peer.
	Client netip.Addr
	// Cut says that the end of the target is missing.
	Cut bool
	// Unknown says that the target, but for its authority, is not known.
	Unknown bool
	// Failure is why there is no whole answer, where the exchange does not say it.
	Failure string
}

// Put reads an exchange with the head into an empty span. The route is the caller's.
func Put(span *probe.Span, x *probe.Exchange, head *Head) {
	putMethod(span, head.Method)
	head.Target.over(x.TLS)
	var peer string
	if x.Peer.IsValid() {
		peer = span.AddressText(x.Peer.Addr())
		span.PutText("network.peer.address", peer)
		span.PutNumber("network.peer.port", int64(x.Peer.Port()))
	}
	span.PutText("network.protocol.version", head.Version)
	if x.StatusCode != 0 {
		span.LabelNumber("http.response.status_code", int64(x.StatusCode))
	}
	span.Path.Cut = head.Cut
	if x.Kind == probe.Client {
		putClient(span, x, head)
		return
	}
	putServer(span, x, head, peer)
}

// putMethod names the span after the method, which has few values: those of
// RFC 9110 and 5789.
func putMethod(span *probe.Span, method string) {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		span.Name = method
		span.LabelText("http.request.method", method)
		return
	}
	span.Name = "HTTP"
	span.LabelText("http.request.method", "_OTHER")
	if method != "" {
		span.PutText("http.request.method_original", method)
	}
}

func putServer(span *probe.Span, x *probe.Exchange, h *Head, peer string) {
	span.Instrument = served
	span.Path.Text, span.Path.Route, span.Path.RouteIsLabel = h.Target.Path, "http.route", true
	span.LabelText("url.scheme", h.Target.Scheme)
	if !h.Unknown {
		span.PutText("url.path", h.Target.Path)
	}
	if h.Target.Query != "" {
		span.PutText("url.query", h.Target.Query)
	}
	if NameServer(span, h.Target, x.Local) {
		span.PutText("server.address", span.Server)
		span.PutNumber("server.port", int64(span.Port))
	}
	if h.Client.IsValid() {
		peer = span.AddressText(h.Client)
	}
	if client := clientAddress(h, peer); client != "" {
		span.PutText("client.address", client)
	}
	if span.UserAgent = h.UserAgent; h.UserAgent != "" {
		span.PutText("user_agent.original", h.UserAgent)
	}
	putSizes(span, x)
	putStatus(span, x, h.Failure, 500)
}

// putSizes says how long the bodies were, as far as their heads said it.
func putSizes(span *probe.Span, x *probe.Exchange) {
	if x.RequestBodySize >= 0 {
		span.PutNumber("http.request.body.size", x.RequestBodySize)
	}
	if x.ResponseBodySize >= 0 {
		span.PutNumber("http.response.body.size", x.ResponseBodySize)
	}
}

func putClient(span *probe.Span, x *probe.Exchange, h *Head) {
	span.Instrument, span.Path.Route = called, "url.template" // the conventions have no label of it
	if strings.HasPrefix(h.Target.Path, "/") {
		span.Path.Text = h.Target.Path
	}
	if NameServer(span, h.Target, x.Peer) {
		span.LabelText("server.address", span.Server)
		span.LabelNumber("server.port", int64(span.Port))
	}
	if full := fullURL(h.Target, x.Peer); full != "" {
		span.PutText("url.full", full)
	}
	putSizes(span, x)
	putStatus(span, x, h.Failure, 400)
}

// putStatus marks the span as an error from the given status code on, and
// where there was no complete response.
func putStatus(span *probe.Span, x *probe.Exchange, failure string, from uint16) {
	var reason string
	switch {
	case x.Error != probe.ErrorNone:
		reason = x.Error.String()
	case failure != "":
		reason = failure
	case x.StatusCode == 0:
		reason = "no_response"
	case x.StatusCode >= from:
		reason = strconv.Itoa(int(x.StatusCode))
	default:
		return
	}
	span.LabelText("error.type", reason)
	span.Failed = true
}

// NameServer names the server as the client did, else by its end of the connection;
// false where neither is known.
func NameServer(span *probe.Span, u Target, end netip.AddrPort) bool {
	address, port := splitHostPort(u.Authority)
	if address == "" {
		if !end.IsValid() {
			return false
		}
		span.Server, span.Port = span.AddressText(end.Addr()), int(end.Port())
		return true
	}
	if port == 0 {
		port = 80
		if u.Scheme == "https" {
			port = 443
		}
	}
	span.Server, span.Port = address, int(port)
	return true
}

func fullURL(u Target, peer netip.AddrPort) string {
	authority := u.Authority
	if authority == "" && peer.IsValid() {
		authority = peer.String()
	}
	if u.Path == "" && u.Query == "" {
		return "" // CONNECT has an authority only
	}
	if u.Query == "" {
		return u.Scheme + "://" + authority + u.Path
	}
	return u.Scheme + "://" + authority + u.Path + "?" + u.Query
}

// clientAddress is the first hop that a proxy names, else the peer.
func clientAddress(h *Head, peer string) string {
	if h.Forwarded == "" && h.ForwardedFor == "" {
		return peer
	}
	for _, named := range []string{forwardedFor(h.Forwarded), h.ForwardedFor} {
		first, _, _ := strings.Cut(named, ",")
		if addr, ok := parseAddr(strings.TrimSpace(first)); ok {
			return addr
		}
	}
	return peer
}

// forwardedFor reads for= of the first element of a Forwarded header (RFC 7239).
func forwardedFor(forwarded string) string {
	first, _, _ := strings.Cut(forwarded, ",")
	for pair := range strings.SplitSeq(first, ";") {
		key, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if ok && strings.EqualFold(key, "for") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// parseAddr accepts an IP address with or without port or brackets.
func parseAddr(s string) (string, bool) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return addr.Unmap().String(), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().String(), true
	}
	return "", false
}
