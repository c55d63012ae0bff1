package postgres

import (
	"bytes"
	"encoding/binary"

	"github.com/odi-dev/odi/bpf/database"
	"github.com/odi-dev/odi/bpf/probe"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "postgres", Code: 3, Connection: probe.ConnectionDatabase, Decode: Decode, Apart: true}

// head is struct cycle_event of cycle.h behind the request.
type head struct {
	said    uint32 // statements that were executed
	cut     bool   // the text was longer
	unknown bool   // one was prepared before, and its text is not kept
	code    string // SQLSTATE of the first error
	params  []byte // what the connection began with
	text    []byte // of the first statement
}

const (
	codeAt   = 10
	codeLen  = 5
	paramsAt = 16
	textAt   = paramsAt + 96
)

// readHead trusts nothing; false: the bytes are no head.
func readHead(raw []byte) (head, bool) {
	if len(raw) < textAt {
		return head{}, false
	}
	h := head{said: binary.NativeEndian.Uint32(raw), cut: raw[8] != 0, unknown: raw[9] != 0}
	h.code = sqlState(raw[codeAt : codeAt+codeLen])
	h.params = raw[paramsAt : paramsAt+min(textAt-paramsAt, int(binary.NativeEndian.Uint16(raw[4:])))]
	h.text = raw[textAt:min(len(raw), textAt+int(binary.NativeEndian.Uint16(raw[6:])))]
	h.text, _, _ = bytes.Cut(h.text, []byte{0})
	return h, h.said > 0
}

// sqlState is empty where the bytes are no code: five digits and capitals.
func sqlState(raw []byte) string {
	for _, c := range raw {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return ""
		}
	}
	return string(raw)
}

// Decode reads the exchange into an empty span.
func Decode(x *probe.Exchange, span *probe.Span) {
	h, ok := readHead(x.RequestHead)
	if !ok {
		return
	}
	span.LabelText("db.system.name", "postgresql")
	if namespace := databaseOf(h.params); namespace != "" {
		span.LabelText("db.namespace", namespace)
	}
	putStatement(span, &h)
	database.PutEnds(span, x)
	database.PutError(span, x, h.code)
}

// putStatement names the span after what is executed: SELECT orders. A cycle of several
// executions is a batch of the first's kind.
func putStatement(span *probe.Span, h *head) {
	s := database.Read(h.text, h.cut, database.Postgres)
	if h.said > 1 {
		span.PutNumber("db.operation.batch.size", int64(h.said))
		s.Operation, s.Text = database.Join("BATCH", s.Operation), ""
	}
	database.PutStatement(span, s, "postgresql")
}

// databaseOf reads the parameters of a startup message, which are pairs of strings: that
// of the user stands for a database that is not named.
func databaseOf(params []byte) string {
	var user string
	for {
		key, rest, ok := bytes.Cut(params, []byte{0})
		value, after, ended := bytes.Cut(rest, []byte{0})
		if !ok || !ended || len(key) == 0 {
			return user
		}
		switch string(key) {
		case "database":
			return name(value)
		case "user":
			user = name(value)
		}
		params = after
	}
}

// nameMax bounds names, which the server does at 63 bytes.
const nameMax = 128

// name makes text of bytes that name something, and shares them.
func name(raw []byte) string {
	return probe.Text(raw[:min(len(raw), nameMax)])
}
