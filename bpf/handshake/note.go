package handshake

import "encoding/binary"

// ending is how a handshake ended: enum shaken of records.h.
type ending uint8

const (
	endedDone ending = iota + 1
	endedAlert
	endedSecretAlert
	endedOther
	endedClosed
)

// Bits of a note.
const (
	bitResumed = 1 << iota
	bitEarly
	bitAgain
	bitByClient
)

const (
	noteSize = 8
	saidMax  = 1728 // SAID_MAX
)

// note is struct handshake_note of records.h, and what both sides have said.
type note struct {
	ended          ending
	bits           uint8
	alert          uint8 // its description
	client, server []byte
}

// readNote trusts nothing; false: the bytes are none.
func readNote(raw []byte) (note, bool) {
	if len(raw) < noteSize+saidMax {
		return note{}, false
	}
	client, server := int(binary.NativeEndian.Uint16(raw)), int(binary.NativeEndian.Uint16(raw[2:]))
	said := raw[noteSize:]
	if client > saidMax || server > len(said)-saidMax {
		return note{}, false
	}
	return note{
		ended: ending(raw[4]), bits: raw[5], alert: raw[7],
		client: said[:client], server: said[saidMax : saidMax+server],
	}, true
}
