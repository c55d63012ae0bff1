package kafka

import (
	"encoding/binary"
	"unicode/utf8"
)

// facts are what a request says of itself, put together of what was said on its
// connection: the follower writes them as the head of a request, Decode reads them.
type facts struct {
	key       uint8
	fault     int16
	partition int32
	count     int32
	offset    int64
	id        topicID // of a topic whose name is not known
	topic     string
	client    string
}

// textMax bounds names: those of topics have up to 249 characters.
const textMax = 250

// append writes the facts behind b.
func (f *facts) append(b []byte) []byte {
	b = append(b, f.key)
	b = binary.BigEndian.AppendUint16(b, uint16(f.fault))
	b = binary.BigEndian.AppendUint32(b, uint32(f.partition))
	b = binary.BigEndian.AppendUint32(b, uint32(f.count))
	b = binary.BigEndian.AppendUint64(b, uint64(f.offset))
	b = append(b, f.id[:]...)
	for _, text := range []string{f.topic, f.client} {
		if len(text) > textMax {
			text = ""
		}
		b = append(append(b, byte(len(text))), text...)
	}
	return b
}

// readFacts trusts nothing; false: the bytes are none.
func readFacts(b []byte) (f facts, ok bool) {
	r := &reader{b: b}
	f = facts{key: uint8(r.int8()), fault: r.int16(), partition: r.int32(), count: r.int32(), offset: r.int64(), id: r.uuid()}
	f.topic = name(r)
	f.client = name(r)
	return f, !r.cut && f.key <= keyFetch
}

// name reads a text of characters that can be seen.
func name(r *reader) string {
	b := r.take(int(uint8(r.int8())))
	if !utf8.Valid(b) {
		return ""
	}
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return ""
		}
	}
	return string(b)
}
