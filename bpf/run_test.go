package bpf

import (
	"testing"
	"time"
)

func TestTheReaderPausesLongWhereTheRingIsFarFromFull(t *testing.T) {
	const ring = 1 << 22
	for name, tc := range map[string]struct {
		read  int
		woken bool
		want  time.Duration
	}{
		"a few requests":                         {read: 1000, want: 100 * time.Millisecond},
		"less than a quarter":                    {read: ring/4 - 1, want: 100 * time.Millisecond},
		"a quarter":                              {read: ring / 4, want: 40 * time.Millisecond},
		"a full ring":                            {read: ring, want: 40 * time.Millisecond},
		"the first requests after nothing to do": {read: 1000, woken: true, want: 40 * time.Millisecond},
	} {
		if got := pauseAfter(tc.read, ring, tc.woken); got != tc.want {
			t.Errorf("%s: the reader pauses %s, want %s", name, got, tc.want)
		}
	}
}
