package kafka

import "encoding/binary"

// Kinds of events: enum kafka_tell of event.h.
const (
	tellAsked = iota + 1
	tellAnswered
	tellPart
	tellClosed
	tellStrayed
)

// note is struct kafka_note of event.h, and the bytes of a message behind it.
type note struct {
	conn uint64
	size int // of the message
	kind uint8
	head []byte
}

const noteSize = 16

// readNote trusts nothing; false: the bytes are none.
func readNote(raw []byte) (note, bool) {
	if len(raw) < noteSize {
		return note{}, false
	}
	return note{
		conn: binary.NativeEndian.Uint64(raw), size: int(binary.NativeEndian.Uint32(raw[8:])),
		kind: raw[12], head: raw[noteSize:],
	}, true
}
