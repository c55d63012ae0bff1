package dns

import (
	"encoding/binary"
	"strings"
)

// message is what is read of one: its header and its first question (RFC 1035, 4.1).
type message struct {
	id       uint16
	response bool
	cut      bool // truncated: there is more over TCP
	rcode    uint8
	answers  uint16
	kind     uint16 // QTYPE
	name     string // without the last dot, in small letters; "." is the root
}

const (
	headerSize = 12
	nameMax    = 255
	labelMax   = 63
)

// readMessage trusts nothing; false: the bytes are no message with one question.
func readMessage(b []byte) (message, bool) {
	if len(b) < headerSize {
		return message{}, false
	}
	flags := binary.BigEndian.Uint16(b[2:])
	m := message{
		id: binary.BigEndian.Uint16(b), response: flags&0x8000 != 0, cut: flags&0x0200 != 0,
		rcode: uint8(flags & 0xf), answers: binary.BigEndian.Uint16(b[6:]),
	}
	if opcode := flags >> 11 & 0xf; opcode != 0 || binary.BigEndian.Uint16(b[4:]) != 1 {
		return message{}, false
	}
	rest, ok := m.readName(b[headerSize:])
	if !ok || len(rest) < 4 {
		return message{}, false
	}
	m.kind = binary.BigEndian.Uint16(rest)
	return m, true
}

// readName reads the name of a question, in which nothing is compressed.
func (m *message) readName(b []byte) (rest []byte, ok bool) {
	var name strings.Builder
	for size := 0; ; {
		if len(b) == 0 {
			return nil, false
		}
		n := int(b[0])
		b = b[1:]
		if n == 0 {
			break
		}
		if size += n + 1; n > labelMax || size >= nameMax || len(b) < n {
			return nil, false
		}
		if name.Len() > 0 {
			name.WriteByte('.')
		}
		for _, c := range b[:n] {
			name.WriteByte(plain(c))
		}
		b = b[n:]
	}
	if m.name = name.String(); m.name == "" {
		m.name = "."
	}
	return b, true
}

// plain is a byte of a name as it is shown: names of hosts, of services and of other alphabets
// (RFC 5891) have no others.
func plain(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c + 'a' - 'A'
	case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '*':
		return c
	}
	return '?'
}
