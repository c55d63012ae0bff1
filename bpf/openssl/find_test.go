package openssl

import (
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/testkit/program"
)

func TestList(t *testing.T) {
	tests := map[string][]string{
		"7f00-7f01 r-xp 0 08:01 12 /usr/lib/x86_64-linux-gnu/libssl.so.3":                      {"/usr/lib/x86_64-linux-gnu/libssl.so.3"},
		"7f00-7f01 r--p 0 08:01 12 /usr/lib/libssl.so.3":                                       nil,
		"7f00-7f01 r-xp 0 08:01 12 /app/lib/libssl-6f61c0b0.so.3 (deleted)":                    {"/app/lib/libssl-6f61c0b0.so.3"},
		"7f00-7f01 r-xp 0 08:01 12 /opt/my app/libssl.so.1.1":                                  {"/opt/my app/libssl.so.1.1"},
		"7f00-7f01 r-xp 0 08:01 12 /usr/lib/libcrypto.so.3":                                    nil,
		"7f00-7f01 r-xp 0 00:00 0":                                                             nil,
		"5500-5501 r-xp 0 8:1 1 /a/libssl.so.3\n7f0-7f1 r-xp 1 8:1 1 /a/libssl.so.3":           {"/a/libssl.so.3"},
		"5500-5501 r-xp 0 8:1 1 /a/libssl.so.3\n7f0-7f1 r-xp 1 8:1 1 /a/libnode.so.115":        {"/a/libssl.so.3", "/a/libnode.so.115"},
		strings.Repeat("5500-5501 r-xp 0 8:1 1 /a/libssl.so.3\n", 100) + "\x00\xff not a line": {"/a/libssl.so.3"},
	}
	for maps, want := range tests {
		var got []string
		for _, m := range list(strings.NewReader(maps)) {
			got = append(got, m.name)
			if !strings.Contains(maps, m.span+" r-xp") {
				t.Errorf("%q has no mapping %s", maps, m.span)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("list(%q) = %v, want %v", maps, got, want)
		}
	}
}

func FuzzList(f *testing.F) {
	f.Add("7f00-7f01 r-xp 0 08:01 12 /usr/lib/libssl.so.3 (deleted)\n")
	f.Fuzz(func(t *testing.T, maps string) {
		if n := len(list(strings.NewReader(maps))); n > filesMax {
			t.Errorf("%d files", n)
		}
	})
}

// started runs a program that says a line when it is ready and then waits for its input to end.
func started(t *testing.T, cmd *exec.Cmd) uint32 {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return uint32(cmd.Process.Pid)
}

// TestFind looks at live programs, and compares with what nm says of the files.
func TestFind(t *testing.T) {
	const says, waits = "import sys; print('.', flush=True)\n", "sys.stdin.read()\n"
	finder := NewFinder()
	for name, tc := range map[string]struct {
		cmd  *exec.Cmd
		want int
	}{
		"a library that is loaded later": {program.Command(t, "python3", "-c", "import ssl\n"+says+waits), 1},
		"none":                           {program.Command(t, "python3", "-c", says+waits), 0},
		"in the executable, or the library of Node.js": {program.Command(t, "node", "-e", "require('tls'); console.log('.'); process.stdin.resume()"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			places, err := finder.Find(started(t, tc.cmd))
			if err != nil || len(places) != tc.want {
				t.Fatalf("got %d places, %v; want %d", len(places), err, tc.want)
			}
			for _, place := range places {
				compare(t, place)
				_ = place.File.Close()
			}
		})
	}
}

// compare holds a place against the table of symbols: each probe is at the beginning of the function of
// its name, or in one that this calls.
func compare(t *testing.T, place Place) {
	t.Helper()
	read := func(at uint64, n int) []byte {
		b := make([]byte, n)
		got, _ := place.File.ReadAt(b, int64(at))
		return b[:max(got, 0)]
	}
	cmd := program.Command(t, "readelf", "-W", "--dyn-syms", "-l", "/proc/self/fd/3")
	cmd.ExtraFiles = append(cmd.ExtraFiles, place.File)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	moved, symbols := uint64(0), map[string]uint64{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		switch {
		case len(f) > 7 && f[0] == "LOAD" && f[6]+f[7] == "RE":
			moved = number(t, f[2]) - number(t, f[1])
		case len(f) > 7 && f[3] == "FUNC":
			name, _, _ := strings.Cut(f[7], "@")
			symbols[name] = number(t, "0x"+f[1])
		}
	}
	seen := map[Function]bool{}
	for _, p := range place.Probes {
		seen[p.Function] = true
		entry := symbols[names[p.Function]] - moved
		called, _ := firstCall(entry, read)
		if p.Offset != cheap(entry, read) && p.Offset != cheap(called, read) {
			t.Errorf("%s begins at %#x and calls %#x; the probe is at %#x", names[p.Function], entry, called, p.Offset)
		}
	}
	if !seen[Handshake] || !seen[Free] || !seen[ReadEx] || !seen[WriteEx] && !seen[WriteEx2] {
		t.Errorf("something is missing in %v", place.Probes)
	}
}

func number(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
