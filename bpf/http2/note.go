package http2

import "encoding/binary"

// Kinds of events: enum tell of frame.h.
const (
	tellBlock = iota + 1
	tellEnd
	tellReset
	tellGoAway
	tellClosed
	tellLost
	tellTurned
)

// Bits of an event with a header block, in event.h.
const (
	noteFirst = 1 << iota
	noteLast
	noteEndStream
	noteNew
	notePromise
	noteTied
)

// note is struct note of event.h, and the bytes of a header block behind it.
type note struct {
	conn     uint64
	stream   uint32
	seq      uint32 // of its direction
	code     uint32 // of a reset; closed: seq of the server's direction
	kind     uint8
	byClient bool
	bits     uint8
	block    []byte
}

const noteSize = 24

// readNote trusts nothing; false: the bytes are none.
func readNote(raw []byte) (note, bool) {
	if len(raw) < noteSize {
		return note{}, false
	}
	u32 := func(at int) uint32 { return binary.NativeEndian.Uint32(raw[at:]) }
	return note{
		conn: binary.NativeEndian.Uint64(raw), stream: u32(8), seq: u32(12), code: u32(16),
		kind: raw[20], byClient: raw[21] != 0, bits: raw[22], block: raw[noteSize:],
	}, true
}
