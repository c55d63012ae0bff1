package dns

import "encoding/binary"

// stream follows messages over TCP, each behind its length (RFC 1035, 4.2.2).
type stream struct {
	prefix []byte // a length of which one byte has come
	left   int    // bytes of a message that are still to come
	held   []byte // what it begins with, as far as that is kept
	whole  bool   // ... and that is told
	lost   bool   // nobody knows where the next one begins
}

// beginMax is what is kept of a message: all that is read of one.
const beginMax = headerSize + nameMax + 4

// feed goes on with what a call has moved: its first bytes, and how many there were. tell is
// called with what a message begins with, once that is there.
func (s *stream) feed(head []byte, size int, tell func([]byte)) {
	rest := size - min(len(head), size) // not kept
	head = head[:size-rest]
	for len(head) > 0 && !s.lost {
		if s.left == 0 {
			n := min(2-len(s.prefix), len(head))
			s.prefix, head = append(s.prefix, head[:n]...), head[n:]
			if len(s.prefix) < 2 {
				break
			}
			s.left = int(binary.BigEndian.Uint16(s.prefix))
			s.prefix, s.held, s.whole = s.prefix[:0], s.held[:0], false
			continue
		}
		n := min(s.left, len(head))
		s.keep(head[:n], tell)
		head = head[n:]
	}
	switch {
	case rest == 0:
	case rest > s.left:
		s.lost = true
	default:
		s.left -= rest
		s.end(tell)
	}
}

func (s *stream) keep(b []byte, tell func([]byte)) {
	s.held = append(s.held, b[:min(len(b), beginMax-len(s.held))]...)
	s.left -= len(b)
	s.end(tell)
}

// end tells of a message whose beginning, or all of which, is there.
func (s *stream) end(tell func([]byte)) {
	if !s.whole && s.left == 0 {
		s.whole = true
		tell(s.held)
	}
}
