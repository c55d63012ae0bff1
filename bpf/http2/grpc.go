package http2

import (
	"net/http"
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
	head := headOf(asked, x.QueryKeys)
	if path := head.Target.Path; strings.HasPrefix(path, "/") && len(path) > 1 {
		span.Path.Text, span.Name = path, path[1:]
		span.LabelText("rpc.method", path[1:])
	}
	if x.Peer.IsValid() {
		span.PutText("network.peer.address", span.AddressText(x.Peer.Addr()))
		span.PutNumber("network.peer.port", int64(x.Peer.Port()))
	}
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
	reason := reasonOf(x, status, answered)
	if reason == "" {
		return
	}
	span.LabelText("error.type", reason)
	span.Failed = true
}

// reasonOf says why a call has failed; empty if it has not.
func reasonOf(x *probe.Exchange, status string, answered *[fieldMax][]byte) string {
	if x.Error != probe.ErrorNone {
		return x.Error.String()
	}
	if status != "" {
		return failed(x.Kind, status)
	}
	if code, name, wasReset := resetOf(answered); wasReset {
		if x.Kind == probe.Server && answered[fieldReader] != nil && code == codeCancel {
			return "" // its client does not want the answer any more
		}
		return name
	}
	if x.StatusCode != 0 && x.StatusCode != http.StatusOK {
		return strconv.Itoa(int(x.StatusCode))
	}
	return "no_status"
}

// failed returns the status where one side counts it as an error, else nothing.
func failed(kind probe.Kind, status string) string {
	if status == "OK" || kind == probe.Server && !faults[status] {
		return ""
	}
	return status
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
