package dns

import "encoding/binary"

// Kinds of events: enum dns_tell of dns.h.
const (
	tellSent = iota + 1
	tellReceived
	tellClosed
)

// note is struct dns_note of dns.h, and the bytes that were moved, as far as they are kept.
type note struct {
	conn   uint64
	size   int
	kind   uint8
	stream bool
	moves  bool // its thread says nothing of who asks
	head   []byte
}

const noteSize = 16

// readNote trusts nothing; false: the bytes are none.
func readNote(raw []byte) (note, bool) {
	if len(raw) < noteSize {
		return note{}, false
	}
	return note{
		conn: binary.NativeEndian.Uint64(raw), size: int(binary.NativeEndian.Uint32(raw[8:])),
		kind: raw[12], stream: raw[13] != 0, moves: raw[14] != 0, head: raw[noteSize:],
	}, true
}
