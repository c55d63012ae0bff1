package dns

import "encoding/binary"

// unanswered stands for the code of an answer that has not come.
const unanswered = 0xff

// facts are what a lookup says, as the follower hands them to Decode.
type facts struct {
	kind  uint16 // of the first question
	rcode uint8
	tries uint8 // names that were asked for
	name  string
}

func (f *facts) append(to []byte) []byte {
	to = binary.NativeEndian.AppendUint16(to, f.kind)
	to = append(to, f.rcode, f.tries)
	return append(to, f.name...)
}

func readFacts(b []byte) (facts, bool) {
	if len(b) <= 4 {
		return facts{}, false
	}
	return facts{kind: binary.NativeEndian.Uint16(b), rcode: b[2], tries: b[3], name: string(b[4:])}, true
}
