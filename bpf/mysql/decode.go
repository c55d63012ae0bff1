package mysql

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/sql"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "mysql", Code: 4, Decode: Decode, Apart: true}

// asked is where the durations of clients are recorded; the conventions have no
// instrument for servers.
var asked = &probe.Instrument{Name: "db.client.operation.duration", Description: "Duration of database client operations."}

// Layout of the head, struct command_event of command.h behind the request.
const (
	codeAt = 2
	cutAt  = 4
	textAt = 8
)

// Decode reads the exchange into an empty span.
func Decode(x *probe.Exchange, span *probe.Span) {
	head := x.RequestHead
	if len(head) < textAt {
		return
	}
	text := head[textAt:min(len(head), textAt+int(binary.NativeEndian.Uint16(head)))]
	text, _, _ = bytes.Cut(text, []byte{0})
	span.LabelText("db.system.name", "mysql")
	sql.Put(span, sql.Read(string(text), head[cutAt] != 0, sql.MySQL), "mysql")
	if x.Peer.IsValid() {
		span.PutText("network.peer.address", x.Peer.Addr().String())
		span.PutNumber("network.peer.port", int64(x.Peer.Port()))
	}
	server := x.Local
	if x.Kind == probe.Client {
		server = x.Peer
		span.Instrument = asked
	}
	if server.IsValid() {
		span.Server, span.Port = server.Addr().String(), int(server.Port())
		span.LabelText("server.address", span.Server)
		span.LabelNumber("server.port", int64(span.Port))
	}
	putError(span, x, binary.NativeEndian.Uint16(head[codeAt:]))
}

// putError tells the number of the error that was answered.
func putError(span *probe.Span, x *probe.Exchange, code uint16) {
	reason := x.Error.String()
	switch {
	case reason != "":
	case code != 0:
		reason = strconv.Itoa(int(code))
		span.LabelText("db.response.status_code", reason)
	case x.Answered.IsZero():
		reason = "no_response"
	default:
		return
	}
	span.LabelText("error.type", reason)
	span.Failed = true
}
