package http2

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/web"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "http2", Code: 5, Decode: Decode, Follow: Follow, Apart: true}

// Decode reads the exchange into an empty span, whose texts share the exchange's bytes.
func Decode(x *probe.Exchange, span *probe.Span) {
	if len(x.RequestHead) == 0 {
		return
	}
	asked, answered := readFields(x.RequestHead), readFields(x.AnswerHead)
	if isGRPC(asked[fieldContentType]) || isGRPC(answered[fieldContentType]) || answered[fieldGRPCStatus] != nil {
		putCall(span, x, &asked, &answered)
		return
	}
	head := headOf(&asked, x.QueryKeys)
	head.Cut = x.HeadTruncated
	head.Failure = failureOf(x, &answered)
	web.Put(span, x, &head)
	if asked[fieldUnknown] != nil {
		span.Instrument = nil // it may belong into another one
	}
}

// value makes text of a field.
func value(raw []byte) string { return web.Bounded(probe.Text(raw)) }

func headOf(asked *[fieldMax][]byte, queryKeys []string) web.Head {
	head := web.Head{
		Method:       value(asked[fieldMethod]),
		Version:      "2",
		UserAgent:    value(asked[fieldUserAgent]),
		Forwarded:    value(asked[fieldForwarded]),
		ForwardedFor: value(asked[fieldForwardedFor]),
	}
	head.Target = web.ParseTarget(head.Method, value(asked[fieldPath]), queryKeys)
	head.Unknown = asked[fieldPath] == nil && head.Method != http.MethodConnect
	if scheme := value(asked[fieldScheme]); scheme == "https" {
		head.Target.Scheme = scheme
	}
	if authority := value(asked[fieldAuthority]); authority != "" {
		head.Target.Authority = web.WithoutUser(authority)
	}
	return head
}

// codeRefused is REFUSED_STREAM, codeCancel CANCEL.
const (
	codeNone    = 0
	codeRefused = 7
	codeCancel  = 8
)

// codes are the names of why a stream was reset (RFC 9113, 7).
var codes = []string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
	"REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// resetOf returns the code by which a stream was reset.
func resetOf(answered *[fieldMax][]byte) (code int, name string, ok bool) {
	raw := answered[fieldReset]
	if raw == nil {
		return 0, "", false
	}
	code, err := strconv.Atoi(string(raw))
	if err != nil || code < 0 || code >= len(codes) {
		return -1, "UNKNOWN_ERROR", true
	}
	return code, codes[code], true
}

// failureOf says why an answer is not whole. One that its reader did not wait for to the
// end, with the status in hand, is nobody's fault.
func failureOf(x *probe.Exchange, answered *[fieldMax][]byte) string {
	code, name, ok := resetOf(answered)
	if !ok {
		return ""
	}
	if x.StatusCode != 0 && answered[fieldReader] != nil && (code == codeCancel || code == codeNone) {
		return ""
	}
	return name
}

// isGRPC says whether a content type is one of gRPC's: application/grpc+proto.
func isGRPC(contentType []byte) bool {
	rest, ok := strings.CutPrefix(string(contentType), "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}
