package mysql

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/odi-dev/odi/bpf/database"
	"github.com/odi-dev/odi/bpf/probe"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "mysql", Code: 4, Connection: probe.ConnectionDatabase, Decode: Decode, Apart: true}

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
	database.PutStatement(span, database.Read(text, head[cutAt] != 0, database.MySQL), "mysql")
	database.PutEnds(span, x)
	code := ""
	if n := binary.NativeEndian.Uint16(head[codeAt:]); n != 0 {
		code = strconv.Itoa(int(n))
	}
	database.PutError(span, x, code)
}
