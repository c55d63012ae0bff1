package kafka

import "encoding/binary"

// reader reads what messages are made of. Behind the end of what is there, all is zero.
type reader struct {
	b []byte
	// at is how far it has read.
	at int
	// flexible says that lengths have none that is fixed, and fields may follow any.
	flexible bool
	// cut says that what was asked for is not there.
	cut bool
}

// take returns the next n bytes; nil: they are not there.
func (r *reader) take(n int) []byte {
	if r.cut || n < 0 || n > len(r.b)-r.at {
		r.cut = true
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at]
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) int8() int8 {
	if b := r.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// uvarint is a number of up to five bytes.
func (r *reader) uvarint() int {
	n, size := uint64(0), 0
	if !r.cut {
		n, size = binary.Uvarint(r.b[r.at:min(len(r.b), r.at+5)])
	}
	if size <= 0 || n > 1<<31 {
		r.cut = true
		return 0
	}
	r.at += size
	return int(n)
}

// length is that of an array, or of bytes; -1: there is none.
func (r *reader) length() int {
	if r.flexible {
		return r.uvarint() - 1
	}
	return int(r.int32())
}

// text is a string; empty where there is none.
func (r *reader) text() string {
	if r.flexible {
		return string(r.take(max(0, r.uvarint()-1)))
	}
	return string(r.take(max(0, int(r.int16()))))
}

// tags passes over the fields that may follow any.
func (r *reader) tags() {
	if !r.flexible {
		return
	}
	for range r.uvarint() {
		r.uvarint()
		r.skip(r.uvarint())
		if r.cut {
			return
		}
	}
}

func (r *reader) uuid() (id topicID) {
	copy(id[:], r.take(len(id)))
	return id
}
