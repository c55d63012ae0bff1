package redis

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/odi-dev/odi/bpf/probe"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "redis", Code: 2, Decode: Decode, Apart: true}

// asked is where the durations of clients are recorded; the conventions have no
// instrument for servers.
var asked = &probe.Instrument{Name: "db.client.operation.duration", Description: "Duration of database client operations."}

// Layout of the head, in struct batch_event of batch.h: how many commands, whether they
// have several names, and the name of the first.
const (
	mixedAt = 4
	nameAt  = 5
	headMax = nameAt + nameMax
	nameMax = 24
	codeMax = 24
)

// Decode reads the exchange into an empty span.
func Decode(x *probe.Exchange, span *probe.Span) {
	operation, size := operationOf(x.RequestHead)
	if operation == "" {
		return
	}
	span.Name = operation
	span.LabelText("db.system.name", "redis")
	span.LabelText("db.operation.name", operation)
	if size > 1 {
		span.PutNumber("db.operation.batch.size", int64(size))
	}
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
	putError(span, x)
}

// operationOf reads the name of the commands and how many there are; empty where the
// head is none.
func operationOf(head []byte) (operation string, size uint32) {
	if len(head) < headMax {
		return "", 0
	}
	size = binary.NativeEndian.Uint32(head)
	name := word(head[nameAt:headMax])
	switch {
	case name == "" || size == 0:
		return "", 0
	case size == 1:
		return name, 1
	case head[mixedAt] != 0:
		return "BATCH", size
	}
	return "BATCH " + name, size
}

// word reads one word in capitals; empty where the bytes are none.
func word(raw []byte) string {
	raw, _, _ = bytes.Cut(raw, []byte{0})
	for _, c := range raw {
		isLetter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !isLetter && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return ""
		}
	}
	return strings.ToUpper(string(raw))
}

// putError tells the code of the first error that was answered: the word that the answer
// begins with, which is in capitals. What follows may have keys in it.
func putError(span *probe.Span, x *probe.Exchange) {
	reason := x.Error.String()
	switch code := codeOf(x.AnswerHead); {
	case reason != "":
	case code != "":
		span.LabelText("db.response.status_code", code)
		reason = code
	case x.Answered.IsZero():
		reason = "no_response"
	default:
		return
	}
	span.LabelText("error.type", reason)
	span.Failed = true
}

// codeOf reads the code of an error; "ERR", which stands for any, where there is an
// error whose code is none.
func codeOf(raw []byte) string {
	raw = raw[:min(len(raw), codeMax)]
	if len(raw) == 0 || raw[0] == 0 {
		return ""
	}
	if end := bytes.IndexAny(raw, " \r\n\x00"); end >= 0 {
		raw = raw[:end]
	}
	if code := string(raw); code != "" && code == strings.ToUpper(word(raw)) {
		return code
	}
	return "ERR"
}
