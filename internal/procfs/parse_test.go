package procfs

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStartTime(t *testing.T) {
	const fields = "S 1 2 3 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 227740 1 2"
	tests := map[string]struct {
		stat    string
		want    uint64
		wantErr bool
	}{
		"plain":                            {stat: "42 (nginx) " + fields, want: 227740},
		"a command that imitates the rest": {stat: "42 (a) R 1 2 3) (b)) " + fields, want: 227740},
		"cut short":                        {stat: "42 (nginx) S 1 2", wantErr: true},
		"no command":                       {stat: "42", wantErr: true},
		"no number":                        {stat: "42 (x) " + strings.ReplaceAll(fields, "227740", "soon"), wantErr: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseStartTime([]byte(tc.stat))
			if got != tc.want || (err != nil) != tc.wantErr {
				t.Errorf("got %d, %v", got, err)
			}
		})
	}
}

func TestParseMaps(t *testing.T) {
	const head = "7f0000000000-7f0000001000 r-xp 00000000 fe:00 1234                       "
	tests := map[string]struct {
		maps string
		want []string
	}{
		"files, each once and sorted": {
			head + "/usr/lib/b.so\n" + head + "/usr/lib/b.so\n" + head + "/usr/lib/a.so\n" + head + "/usr/lib/b.so\n",
			[]string{"/usr/lib/a.so", "/usr/lib/b.so"}},
		"memory without a file":     {head + "\n" + head + "[heap]\n" + head + "anon_inode:[io_uring]\n", []string{}},
		"a removed file":            {head + "/app/server (deleted)\n", []string{"/app/server"}},
		"a name with blanks":        {head + "/opt/my app/lib one.so\n", []string{"/opt/my app/lib one.so"}},
		"a name with a line feed":   {head + "/tmp/a\\012b\n", []string{"/tmp/a\nb"}},
		"no line feed at the end":   {head + "/a", []string{"/a"}},
		"not maps at all":           {"\x00\xff\n\n   \n/etc/passwd\n", []string{}},
		"a line longer than a path": {head + "/" + strings.Repeat("x", 3*maxMapsLine) + "\n" + head + "/b\n", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := parseMaps(strings.NewReader(tc.maps))
			if tc.want == nil { // the long name is cut anywhere; the rest must be there
				if !slices.Contains(got, "/b") {
					t.Errorf("got %d names without /b", len(got))
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestParseEnviron(t *testing.T) {
	keep := func(name string) bool { return name == "KEPT" }
	got := ParseEnviron([]byte("KEPT=a=b\x00SECRET=hunter2\x00KEPT=later\x00=x\x00novalue\x00EMPTY=\x00tail=cut"), keep)
	want := map[string]string{"KEPT": "a=b", "SECRET": "", "EMPTY": "", "tail": ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseSecure(t *testing.T) {
	wide := func(pairs ...uint64) (b []byte) {
		for _, n := range pairs {
			b = binary.NativeEndian.AppendUint64(b, n)
		}
		return b
	}
	narrow := func(pairs ...uint32) (b []byte) {
		for _, n := range pairs {
			b = binary.NativeEndian.AppendUint32(b, n)
		}
		return b
	}
	tests := map[string]struct {
		auxv []byte
		want bool
	}{
		"none":                 {nil, false},
		"64 bits, secure":      {wide(33, 0x7fff00000000, 23, 1, 0, 0), true},
		"64 bits, not secure":  {wide(33, 0x7fff00000000, 23, 0, 0, 0), false},
		"32 bits, secure":      {narrow(32, 0xf7f00000, 23, 1, 0, 0), true},
		"32 bits, not secure":  {narrow(32, 0xf7f00000, 23, 0, 0, 0), false},
		"23 as a value":        {wide(7, 23, 1, 1), false},
		"cut in the last pair": {wide(33, 1, 23), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := parseSecure(tc.auxv); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func FuzzParseMaps(f *testing.F) {
	f.Add([]byte("7f00-7f01 r-xp 00000000 fe:00 1234   /usr/lib/a.so\n"))
	f.Add([]byte("a b c d e /x (deleted)\n\n     /y"))
	f.Fuzz(func(t *testing.T, maps []byte) {
		got := parseMaps(strings.NewReader(string(maps)))
		if !slices.IsSorted(got) || len(slices.Compact(got)) != len(got) {
			t.Errorf("not sorted or not unique: %q", got)
		}
		for _, name := range got {
			if !strings.HasPrefix(name, "/") && name != "" {
				t.Errorf("not a path: %q", name)
			}
		}
	})
}

func FuzzParseEnviron(f *testing.F) {
	f.Add([]byte("A=b\x00C=\x00=d\x00e"))
	f.Fuzz(func(t *testing.T, environ []byte) {
		for name, value := range ParseEnviron(environ, func(name string) bool { return name != "SECRET" }) {
			if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
				t.Errorf("got %q=%q", name, value)
			}
			if name == "SECRET" && value != "" {
				t.Error("a value was kept that was not asked for")
			}
		}
	})
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a) R 1) S 1 2 3 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 227740 1"))
	f.Add([]byte(") "))
	f.Fuzz(func(_ *testing.T, stat []byte) {
		_, _ = parseStartTime(stat)
		_ = parseSecure(stat)
		_ = splitNul(stat)
	})
}
