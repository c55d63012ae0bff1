package peer

import (
	"bytes"
	"fmt"

	"github.com/odi-dev/odi/hack/prove/script"
)

// headerLength is that of "traceparent: 00-<32>-<16>-<2>\r\n".
const headerLength = 70

// stripper compares what comes with what was sent, but for one traceparent at each
// place where one may come.
type stripper struct {
	want    []byte
	inserts []uint32
	at      uint32 // bytes that came as sent
	hold    []byte // what may become a header
	headers []string
}

func newStripper(s *script.Side) stripper {
	return stripper{want: s.In, inserts: s.Inserts}
}

// feed takes the next bytes; an error says where they differ.
func (s *stripper) feed(b []byte) error {
	for len(b) > 0 {
		if s.mayInsert() {
			taken, decided := s.header(b)
			b = b[taken:]
			if !decided {
				return nil
			}
			if err := s.compare(s.hold); err != nil {
				return err
			}
			s.hold = s.hold[:0]
			continue
		}
		n := len(b)
		if i := len(s.headers); i < len(s.inserts) && uint32(n) > s.inserts[i]-s.at {
			n = int(s.inserts[i] - s.at)
		}
		if err := s.compare(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// mayInsert tells whether a header may come here.
func (s *stripper) mayInsert() bool {
	return len(s.headers) < len(s.inserts) && s.inserts[len(s.headers)] == s.at
}

// header collects one until it is known whether it is one. What is left in hold
// then was none.
func (s *stripper) header(b []byte) (taken int, decided bool) {
	for i, c := range b {
		s.hold = append(s.hold, c)
		if !fits(c, len(s.hold)-1) {
			s.headers = append(s.headers, "")
			return i + 1, true
		}
		if len(s.hold) == headerLength {
			s.headers = append(s.headers, string(s.hold[13:68]))
			s.hold = s.hold[:0]
			return i + 1, true
		}
	}
	return len(b), false
}

const pattern = "traceparent: 00-................................-................-..\r\n"

func fits(c byte, i int) bool {
	if pattern[i] != '.' {
		return c == pattern[i]
	}
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
}

func (s *stripper) compare(b []byte) error {
	rest := s.want[s.at:]
	if len(b) <= len(rest) && bytes.Equal(b, rest[:len(b)]) {
		s.at += uint32(len(b))
		return nil
	}
	i := 0
	for i < len(b) && i < len(rest) && b[i] == rest[i] {
		i++
	}
	return fmt.Errorf("byte %d differs: %.80q came, %.80q was sent", int(s.at)+i, b[i:], rest[i:])
}
