package openssl

import (
	"encoding/hex"
	"strings"
	"testing"
)

// text is the code of a made-up file: pieces by where they lie.
type text map[uint64]string

func (c text) read(at uint64, n int) []byte {
	for begin, piece := range c {
		b, err := hex.DecodeString(strings.ReplaceAll(piece, " ", ""))
		if err != nil {
			panic(err)
		}
		if at >= begin && at < begin+uint64(len(b)) {
			b = b[at-begin:]
			return b[:min(n, len(b))]
		}
	}
	return nil
}

// Debian's SSL_read and SSL_read_ex of OpenSSL 3.0, at 0x430 and 0x4c0, and the function at 0x290 behind both.
const (
	plain = "4883ec18 64488b042528000000 4889442408 31c0 85d2 782f 4889e1 4863d2 e83dfeffff 85c0 7e03 8b0424"
	ex    = "4883ec08 e8c7fdffff 31d2 85c0"
	both  = "4155 4883ec38"
)

func TestBehindBoth(t *testing.T) {
	tests := map[string]struct {
		code  text
		flags bool
		want  uint64
	}{
		"Debian's OpenSSL 3.0":                   {code: text{0x430: plain, 0x4c0: ex, 0x290: both}, want: 0x290},
		"with marks":                             {code: text{0x42c: "f30f1efa" + plain, 0x4c0: ex, 0x290: "f30f1efa" + both}, want: 0x294},
		"it begins with another instruction":     {code: text{0x430: plain, 0x4c0: ex, 0x290: "4883ec38"}},
		"they call two functions":                {code: text{0x430: plain, 0x4c0: "4883ec08 e8c8fdffff", 0x290: both}},
		"one hands over another buffer":          {code: text{0x430: plain, 0x4bd: "4889d6" + ex, 0x290: both}},
		"one hands over no place for the result": {code: text{0x430: plain, 0x4be: "31c9" + ex, 0x290: both}},
		"with flags, as from 3.3 on": {
			code: text{0x430: "4883ec18 85d2 780a 4c8d4424 08 31c9 4863d2 e844feffff", 0x4c0: "4989c8 31c9 e8c1fdffff", 0x28b: both}, flags: true, want: 0x28b,
		},
		"flags that are not expected": {code: text{0x430: "4883ec18 85d2 780a 4c8d4424 08 31c9 4863d2 e844feffff", 0x4c0: "4989c8 31c9 e8c1fdffff", 0x28b: both}},
		"no code":                     {code: text{}},
		"nonsense":                    {code: text{0x430: "0f0b ffff", 0x4c0: "ff"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			entry := uint64(0x430)
			for _, at := range []uint64{0x42c} {
				if tc.code[at] != "" {
					entry = at
				}
			}
			second := uint64(0x4c0)
			for _, at := range []uint64{0x4bd, 0x4be} {
				if tc.code[at] != "" {
					second = at
				}
			}
			if got := behindBoth(entry, second, tc.flags, tc.code.read); got != tc.want {
				t.Errorf("got %#x, want %#x", got, tc.want)
			}
		})
	}
}

// TestPlaceWithoutCode probes the entries of the functions, as where the code is not that of amd64.
func TestPlaceWithoutCode(t *testing.T) {
	entries := map[Function]uint64{Read: 1, ReadEx: 2, Write: 3, WriteEx: 4, Handshake: 5, Free: 6, WriteEx2: 7}
	got := map[Function]uint64{}
	for _, p := range place(entries, text{}.read) {
		if got[p.Function] != 0 {
			t.Errorf("%s is probed twice", names[p.Function])
		}
		got[p.Function] = p.Offset
	}
	for fn, at := range entries {
		if got[fn] != at {
			t.Errorf("%s: got %#x, want %#x", names[fn], got[fn], at)
		}
	}
}

func FuzzFirstCall(f *testing.F) {
	for _, piece := range []string{plain, ex, both} {
		b, _ := hex.DecodeString(strings.ReplaceAll(piece, " ", ""))
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		firstCall(0, func(at uint64, n int) []byte {
			at = min(at, uint64(len(b)))
			return b[at:min(uint64(len(b)), at+uint64(n))]
		})
	})
}
