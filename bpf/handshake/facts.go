package handshake

import "encoding/binary"

// facts are what a handshake says, as the follower hands them to Decode.
type facts struct {
	version, cipher uint16 // 0: there was no answer
	ended           ending
	alert           uint8
	byClient        bool // the alert is the client's
	kind            kind
	protocol        string // ALPN
	name            string // of the server
}

// kind is how much of a handshake there was.
type kind uint8

const (
	full kind = iota
	retried
	resumed
	early
)

// String is the value of odi.tls.handshake.kind.
func (k kind) String() string {
	switch k {
	case retried:
		return "retried"
	case resumed:
		return "resumed"
	case early:
		return "early_data"
	}
	return "full"
}

const factsSize = 9

func (f *facts) append(to []byte) []byte {
	to = binary.NativeEndian.AppendUint16(to, f.version)
	to = binary.NativeEndian.AppendUint16(to, f.cipher)
	to = append(to, byte(f.ended), f.alert, flag(f.byClient), byte(f.kind), byte(len(f.protocol)))
	return append(append(to, f.protocol...), f.name...)
}

func flag(is bool) byte {
	if is {
		return 1
	}
	return 0
}

func readFacts(b []byte) (facts, bool) {
	if len(b) < factsSize || len(b) < factsSize+int(b[8]) {
		return facts{}, false
	}
	text := b[factsSize:]
	return facts{
		version: binary.NativeEndian.Uint16(b), cipher: binary.NativeEndian.Uint16(b[2:]),
		ended: ending(b[4]), alert: b[5], byClient: b[6] != 0, kind: kind(b[7]),
		protocol: string(text[:b[8]]), name: string(text[b[8]:]),
	}, true
}
