package redis

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/odi-dev/odi/bpf/database"
	"github.com/odi-dev/odi/bpf/probe"
)

// Protocol is this room.
var Protocol = probe.Protocol{Name: "redis", Code: 2, Connection: probe.ConnectionDatabase, Decode: Decode, Apart: true}

// Layout of the head, in struct batch_event of batch.h: how many commands, whether they
// have several names, and the name of the first.
const (
	mixedAt = 4
	nameAt  = 5
	headMax = nameAt + nameMax
	nameMax = 24
	codeMax = 24
)

// noCommand is how the answer to what is no command begins: what was meant as an argument, a
// password, may stand in its place. Its name is other then. mixed is the name of several.
const (
	noCommand = "ERR unknown command"
	other     = "_OTHER"
	mixed     = "BATCH"
)

// Decode reads the exchange into an empty span.
func Decode(x *probe.Exchange, span *probe.Span) {
	operation, size := operationOf(x.RequestHead)
	if operation == "" {
		return
	}
	if bytes.HasPrefix(x.AnswerHead, []byte(noCommand)) && operation != mixed {
		operation = strings.TrimSuffix(operation, operation[strings.LastIndexByte(operation, ' ')+1:]) + other
	}
	span.Name = operation
	span.LabelText("db.system.name", "redis")
	span.LabelText("db.operation.name", operation)
	if size > 1 {
		span.PutNumber("db.operation.batch.size", int64(size))
	}
	database.PutEnds(span, x)
	// The code is the word that the answer begins with; what follows may have keys in it.
	database.PutError(span, x, codeOf(x.AnswerHead))
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
		return mixed, size
	}
	return mixed + " " + name, size
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

// codeOf reads the code of an error; "ERR", which stands for any, where there is an
// error whose code is none. Codes have no digits, and scripts may answer anything.
func codeOf(raw []byte) string {
	raw = raw[:min(len(raw), codeMax)]
	if len(raw) == 0 || raw[0] == 0 {
		return ""
	}
	if end := bytes.IndexAny(raw, " \r\n\x00"); end >= 0 {
		raw = raw[:end]
	}
	if code := string(raw); code != "" && code == word(raw) && !strings.ContainsAny(code, "0123456789") {
		return code
	}
	return "ERR"
}
