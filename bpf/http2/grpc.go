package http2

import (
	"strconv"
	"strings"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/web"
)

// Where durations of calls are recorded.
var (
	served = &probe.Instrument{Name: "rpc.server.call.duration", Description: "Duration of RPC server calls."}
	called = &probe.Instrument{Name: "rpc.client.call.duration", Description: "Duration of RPC client calls."}
)

// statuses are the names of the codes of gRPC.
var statuses = []string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// faults are those that are the server's fault: its spans have failed.
var faults = map[string]bool{"UNKNOWN": true, "DEADLINE_EXCEEDED": true, "UNIMPLEMENTED": true, "INTERNAL": true, "UNAVAILABLE": true, "DATA_LOSS": true}

// putCall reads a call into the span, by the conventions for gRPC.
func putCall(span *probe.Span, x *probe.Exchange, asked, answered *[fieldMax][]byte) {
	span.Name = "grpc"
	span.LabelText("rpc.system.name", "grpc")
	span.Path.Cut = x.HeadTruncated
	if path := value(asked[fieldPath]); strings.HasPrefix(path, "/") && len(path) > 1 {
		span.Path.Text, span.Name = path, path[1:]
		span.LabelText("rpc.method", path[1:])
	}
	if x.Peer.IsValid() {
		span.PutText("network.peer.address", x.Peer.Addr().String())
		span.PutNumber("network.peer.port", int64(x.Peer.Port()))
	}
	head := headOf(asked)
	span.UserAgent = head.UserAgent
	if x.Kind == probe.Client {
		span.Instrument = called
		if web.NameServer(span, head.Target, x.Peer) {
			span.LabelText("server.address", span.Server)
			span.LabelNumber("server.port", int64(span.Port))
		}
	} else {
		span.Instrument = served
		if web.NameServer(span, head.Target, x.Local) {
			span.PutText("server.address", span.Server)
			span.PutNumber("server.port", int64(span.Port))
		}
	}
	putEnd(span, x, answered)
}

// putEnd says how the call ended.
func putEnd(span *probe.Span, x *probe.Exchange, answered *[fieldMax][]byte) {
	status := statusOf(answered[fieldGRPCStatus])
	if status != "" {
		span.LabelText("rpc.response.status_code", status)
	}
	reason := ""
	code, name, wasReset := resetOf(answered)
	switch {
	case x.Error != probe.ErrorNone:
		reason = x.Error.String()
	case status != "":
		if status == "OK" || x.Kind == probe.Server && !faults[status] {
			return
		}
		reason = status
	case wasReset:
		if x.Kind == probe.Server && answered[fieldReader] != nil && code == codeCancel {
			return // its client does not want the answer any more
		}
		reason = name
	case x.StatusCode != 0 && x.StatusCode != 200:
		reason = strconv.Itoa(int(x.StatusCode))
	default:
		reason = "no_status"
	}
	span.LabelText("error.type", reason)
	span.Failed = true
}

// statusOf is empty where the value is no code. One that nobody knows counts as UNKNOWN, as
// it does for clients.
func statusOf(raw []byte) string {
	code, err := strconv.Atoi(string(raw))
	if err != nil || code < 0 {
		return ""
	}
	if code >= len(statuses) {
		return "UNKNOWN"
	}
	return statuses[code]
}
