package http1

import (
	"net/netip"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/bpf/probe"
)

// ScopeName is the instrumentation scope of the spans of this room.
const ScopeName = "odi/http1"

// headMax is far more than the kernel keeps; longer input is cut.
const headMax = 16 << 10

// Decode writes the exchange into span: name, kind, ids, times, status and
// attributes. The resource and http.route are the caller's.
func Decode(x probe.Exchange, span ptrace.Span) {
	head := parseHead(x.RequestHead)
	span.SetTraceID(pcommon.TraceID(x.TraceID))
	span.SetSpanID(pcommon.SpanID(x.SpanID))
	span.SetParentSpanID(pcommon.SpanID(x.ParentSpanID))
	span.SetFlags(uint32(x.TraceFlags))
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(x.Start))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(x.End))

	attrs := span.Attributes()
	attrs.EnsureCapacity(18)
	span.SetName(putMethod(attrs, head.method))
	var peer string
	if x.Peer.IsValid() {
		peer = x.Peer.Addr().String()
		attrs.PutStr("network.peer.address", peer)
		attrs.PutInt("network.peer.port", int64(x.Peer.Port()))
	}
	attrs.PutStr("network.protocol.version", head.version)
	if x.StatusCode != 0 {
		attrs.PutInt("http.response.status_code", int64(x.StatusCode))
	}
	if x.Kind == probe.Client {
		putClient(span, x, head)
		return
	}
	putServer(span, x, head, peer)
}

// knownMethods are those of RFC 9110 and 5789; others are _OTHER.
var knownMethods = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "DELETE": true,
	"CONNECT": true, "OPTIONS": true, "TRACE": true, "PATCH": true,
}

// putMethod returns the span's name: the method, which has few values.
func putMethod(attrs pcommon.Map, method string) string {
	if knownMethods[method] {
		attrs.PutStr("http.request.method", method)
		return method
	}
	attrs.PutStr("http.request.method", "_OTHER")
	if method != "" {
		attrs.PutStr("http.request.method_original", method)
	}
	return "HTTP"
}

func putServer(span ptrace.Span, x probe.Exchange, h head, peer string) {
	span.SetKind(ptrace.SpanKindServer)
	attrs := span.Attributes()
	attrs.PutStr("url.scheme", h.url.scheme)
	attrs.PutStr("url.path", h.url.path)
	if h.url.query != "" {
		attrs.PutStr("url.query", h.url.query)
	}
	putAuthority(attrs, h.url, x.Local)
	if client := clientAddress(h, peer); client != "" {
		attrs.PutStr("client.address", client)
	}
	if h.userAgent != "" {
		attrs.PutStr("user_agent.original", h.userAgent)
	}
	if x.RequestBodySize >= 0 {
		attrs.PutInt("http.request.body.size", x.RequestBodySize)
	}
	if x.ResponseBodySize >= 0 {
		attrs.PutInt("http.response.body.size", x.ResponseBodySize)
	}
	putStatus(span, x, 500)
}

func putClient(span ptrace.Span, x probe.Exchange, h head) {
	span.SetKind(ptrace.SpanKindClient)
	attrs := span.Attributes()
	putAuthority(attrs, h.url, x.Peer)
	if full := fullURL(h.url, x.Peer); full != "" {
		attrs.PutStr("url.full", full)
	}
	putStatus(span, x, 400)
}

// putStatus marks the span as an error from the given status code on, and
// where there was no complete response.
func putStatus(span ptrace.Span, x probe.Exchange, from uint16) {
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
	span.Attributes().PutStr("error.type", reason)
	span.Status().SetCode(ptrace.StatusCodeError)
}

// putAuthority names the server as the client did, else by its end of the connection.
func putAuthority(attrs pcommon.Map, u target, end netip.AddrPort) {
	address, port := splitHostPort(u.authority)
	if address == "" {
		if !end.IsValid() {
			return
		}
		attrs.PutStr("server.address", end.Addr().String())
		attrs.PutInt("server.port", int64(end.Port()))
		return
	}
	attrs.PutStr("server.address", address)
	if port == 0 {
		port = 80
		if u.scheme == "https" {
			port = 443
		}
	}
	attrs.PutInt("server.port", port)
}

func fullURL(u target, peer netip.AddrPort) string {
	authority := u.authority
	if authority == "" && peer.IsValid() {
		authority = peer.String()
	}
	if u.path == "" && u.query == "" {
		return "" // CONNECT has an authority only
	}
	full := u.scheme + "://" + authority + u.path
	if u.query != "" {
		full += "?" + u.query
	}
	return full
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
