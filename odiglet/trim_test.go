package odiglet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConstantMappings(t *testing.T) {
	const smaps = `00400000-01619000 r-xp 00000000 fe:00 42   /bin/odiglet
Rss:               18748 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
01619000-02a00000 r--p 01219000 fe:00 42   /bin/odiglet
Anonymous:             0 kB
02a00000-02a10000 r--p 02600000 fe:00 42   /bin/odiglet
Anonymous:            64 kB
02a10000-02b00000 rw-p 02610000 fe:00 42   /bin/odiglet
Anonymous:             0 kB
7f0000000000-7f0000010000 r-xp 00000000 fe:00 43   /lib/libc.so.6
Anonymous:             0 kB
7f0000020000-7f0000030000 r--s 00000000 fe:00 42   /bin/odiglet
Anonymous:             0 kB
7f0000040000-7f0000050000 r--p 00000000 00:00 0
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0x1619000}, {0x1619000, 0x2a00000}}
	got := constantMappings(strings.NewReader(smaps), "/bin/odiglet")
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(mapping{})); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
}

// The program goes on after its pages were given back.
func TestTrimBinary(t *testing.T) {
	trimBinary()
	t.Run("code that runs for the first time", func(*testing.T) {})
}
