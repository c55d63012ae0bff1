package http1

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/bpf/probe"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "http1", Code: 1, Decode: Decode}

// headMax is far more than the kernel keeps; longer input is cut.
const headMax = 16 << 10

// Where durations are recorded.
var (
	served = &probe.Instrument{Name: "http.server.request.duration", Description: "Duration of HTTP server requests."}
	called = &probe.Instrument{Name: "http.client.request.duration", Description: "Duration of HTTP client requests."}
)

// Decode reads the exchange into an empty span, whose texts share the exchange's
// bytes. The route is the caller's.
func Decode(x *probe.Exchange, span *probe.Span) {
	head := parseHead(withoutPreface(x.RequestHead, x.Preface))
	putMethod(span, head.method)
	var peer string
	if x.Peer.IsValid() {
		peer = x.Peer.Addr().String()
		span.PutText("network.peer.address", peer)
		span.PutNumber("network.peer.port", int64(x.Peer.Port()))
	}
	span.PutText("network.protocol.version", head.version)
	if x.StatusCode != 0 {
		span.LabelNumber("http.response.status_code", int64(x.StatusCode))
	}
	span.Path.Cut = isCut(x)
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

func putServer(span *probe.Span, x *probe.Exchange, h head, peer string) {
	span.Instrument = served
	span.Path.Text, span.Path.Route, span.Path.RouteIsLabel = h.url.path, "http.route", true
	span.LabelText("url.scheme", h.url.scheme)
	span.PutText("url.path", h.url.path)
	if h.url.query != "" {
		span.PutText("url.query", h.url.query)
	}
	if nameServer(span, h.url, x.Local) {
		span.PutText("server.address", span.Server)
		span.PutNumber("server.port", int64(span.Port))
	}
	if x.Preface != nil {
		if addr := prefaceClient(x.Preface); addr.IsValid() {
			peer = addr.String()
		}
	}
	if client := clientAddress(h, peer); client != "" {
		span.PutText("client.address", client)
	}
	if span.UserAgent = h.userAgent; h.userAgent != "" {
		span.PutText("user_agent.original", h.userAgent)
	}
	putSizes(span, x)
	putStatus(span, x, 500)
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

func putClient(span *probe.Span, x *probe.Exchange, h head) {
	span.Instrument, span.Path.Route = called, "url.template" // the conventions have no label of it
	if strings.HasPrefix(h.url.path, "/") {
		span.Path.Text = h.url.path
	}
	if nameServer(span, h.url, x.Peer) {
		span.LabelText("server.address", span.Server)
		span.LabelNumber("server.port", int64(span.Port))
	}
	if full := fullURL(h.url, x.Peer); full != "" {
		span.PutText("url.full", full)
	}
	putSizes(span, x)
	putStatus(span, x, 400)
}

// putStatus marks the span as an error from the given status code on, and
// where there was no complete response.
func putStatus(span *probe.Span, x *probe.Exchange, from uint16) {
	var reason string
	switch {
	case x.Error != probe.ErrorNone:
		reason = x.Error.String()
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

// nameServer names the server as the client did, else by its end of the connection;
// false where neither is known.
func nameServer(span *probe.Span, u target, end netip.AddrPort) bool {
	address, port := splitHostPort(u.authority)
	if address == "" {
		if !end.IsValid() {
			return false
		}
		span.Server, span.Port = end.Addr().String(), int(end.Port())
		return true
	}
	if port == 0 {
		port = 80
		if u.scheme == "https" {
			port = 443
		}
	}
	span.Server, span.Port = address, int(port)
	return true
}

// isCut says whether the target of the request was longer than what was kept.
func isCut(x *probe.Exchange) bool {
	return x.HeadTruncated && bytes.IndexByte(x.RequestHead, '\n') < 0
}

func fullURL(u target, peer netip.AddrPort) string {
	authority := u.authority
	if authority == "" && peer.IsValid() {
		authority = peer.String()
	}
	if u.path == "" && u.query == "" {
		return "" // CONNECT has an authority only
	}
	if u.query == "" {
		return u.scheme + "://" + authority + u.path
	}
	return u.scheme + "://" + authority + u.path + "?" + u.query
}

// clientAddress is the first hop that a proxy names, else the peer.
func clientAddress(h head, peer string) string {
	if h.forwarded == "" && h.forwardedFor == "" {
		return peer
	}
	for _, named := range []string{forwardedFor(h.forwarded), h.forwardedFor} {
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
