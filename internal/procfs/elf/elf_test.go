package elf_test

import (
	"bytes"
	"debug/buildinfo"
	stdelf "debug/elf"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/internal/procfs/elf"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestAgreesWithDebugELF compares every answer with the standard library's, for real programs and libraries.
func TestAgreesWithDebugELF(t *testing.T) {
	for _, pattern := range []string{
		"/proc/self/exe", program.Need(t, "sh"), program.Need(t, "ls"), program.Need(t, "nginx"), program.Need(t, "node"), program.Need(t, "python3"),
		"/lib/*/libc.so.6", "/lib/*/libstdc++.so.6", "/lib64/ld-linux-*", "/usr/lib/jvm/*/lib/server/libjvm.so",
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Errorf("no file %s: %v; is its package in hack/packages.txt?", pattern, err)
		}
		for _, path := range paths {
			t.Run(path, func(t *testing.T) {
				std, err := stdelf.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer std.Close()
				f, done := open(t, path)
				defer done()
				compare(t, std, f)
			})
		}
	}
}

func compare(t *testing.T, std *stdelf.File, f *elf.File) {
	t.Helper()
	needed, _ := std.ImportedLibraries()
	if diff := cmp.Diff(needed, f.Needed()); diff != "" {
		t.Errorf("needed libraries:\n%s", diff)
	}
	interp := ""
	if s := std.Section(".interp"); s != nil {
		b, _ := s.Data()
		interp = strings.TrimRight(string(b), "\x00")
	}
	if f.Interp() != interp {
		t.Errorf("interpreter: got %q, want %q", f.Interp(), interp)
	}
	if s := std.Section(".note.gnu.build-id"); s != nil {
		b, _ := s.Data()
		if want := hex.EncodeToString(b[16:]); f.BuildID() != want {
			t.Errorf("build id: got %q, want %q", f.BuildID(), want)
		}
	}
	const limit = 4096
	for _, s := range std.Sections[1:] {
		if s.Type == stdelf.SHT_NOBITS {
			continue
		}
		want := make([]byte, min(s.FileSize, limit))
		if _, err := s.ReadAt(want, 0); err != nil && len(want) > 0 {
			t.Fatal(err)
		}
		got := f.Section(s.Name, limit)
		if std.Section(s.Name) == s && !bytes.Equal(got, want) {
			t.Errorf("section %s differs", s.Name)
		}
	}
	symbols, _ := std.DynamicSymbols()
	for i, s := range symbols {
		defined := s.Section != stdelf.SHN_UNDEF && stdelf.ST_BIND(s.Info) != stdelf.STB_LOCAL
		if i%37 == 0 && defined && !f.Exports(s.Name) {
			t.Errorf("does not export %s", s.Name)
		}
	}
	if f.Exports("no_such_symbol_anywhere") {
		t.Error("exports what does not exist")
	}
}

func TestReadsBuildInformation(t *testing.T) {
	f, done := open(t, "/proc/self/exe")
	defer done()
	info, err := buildinfo.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(f.Section(".go.buildinfo", 4096), []byte(info.GoVersion)) {
		t.Errorf("no %s in the build information", info.GoVersion)
	}
	if runtime.GOARCH == "amd64" && len(f.WritableData(64)) < 64 {
		t.Error("no writable data")
	}
}

func TestFindAcrossPieces(t *testing.T) {
	// Marks lie on both sides of, and across, the border between two reads.
	const piece = 256 << 10
	for _, at := range []int{0, 1, piece - 8, piece - 3, piece, piece + 1, 2*piece - 1, 3*piece - 10} {
		constants := bytes.Repeat([]byte("mar"), piece)
		copy(constants[at:], "mark:1.2.3")
		f, err := elf.New(bytes.NewReader(image(constants)), int64(len(image(constants))))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(f.Find("mark:", 5, 1<<20)); got != "mark:1.2.3" {
			t.Errorf("at %d: got %q", at, got)
		}
		if got := f.Find("mark:", 5, at); got != nil {
			t.Errorf("at %d: found %q beyond the limit", at, got)
		}
	}
}

// image wraps constants into the smallest ELF file: a header and one read-only segment.
func image(constants []byte) []byte {
	const headers = 64 + 56
	b := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, headers-7)...)
	le := binary.LittleEndian
	le.PutUint64(b[32:], 64) // the segment table
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 1)
	le.PutUint32(b[64:], uint32(stdelf.PT_LOAD))
	le.PutUint32(b[68:], uint32(stdelf.PF_R))
	le.PutUint64(b[72:], headers)
	le.PutUint64(b[96:], uint64(len(constants)))
	return append(b, constants...)
}

func TestForgedFiles(t *testing.T) {
	real, err := os.ReadFile(program.Need(t, "true"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(b []byte) []byte{
		"empty":                       func([]byte) []byte { return nil },
		"a script":                    func([]byte) []byte { return []byte("#!/bin/sh\n") },
		"only a magic number":         func(b []byte) []byte { return b[:4] },
		"header cut short":            func(b []byte) []byte { return b[:40] },
		"no byte order":               func(b []byte) []byte { b[5] = 9; return b },
		"section table far away":      func(b []byte) []byte { binary.LittleEndian.PutUint64(b[40:], 1<<63); return b },
		"65,535 sections":             func(b []byte) []byte { binary.LittleEndian.PutUint16(b[60:], 0xffff); return b },
		"segments of no size":         func(b []byte) []byte { binary.LittleEndian.PutUint16(b[54:], 0); return b },
		"segments over one another":   func(b []byte) []byte { binary.LittleEndian.PutUint16(b[54:], 1); return b },
		"everything after the header": func(b []byte) []byte { return append(b[:64:64], bytes.Repeat([]byte{0xff}, 4096)...) },
	}
	for name, forge := range tests {
		t.Run(name, func(_ *testing.T) { askEverything(forge(slices.Clone(real))) })
	}
}

// TestSparseFile has a segment of 2^50 bytes in a file that says it is that long: reads must stay bounded.
func TestSparseFile(t *testing.T) {
	b := image(nil)
	binary.LittleEndian.PutUint64(b[96:], 1<<50)
	path := t.TempDir() + "/sparse"
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<42); err != nil {
		t.Skip("needs sparse files of 4 TiB")
	}
	f, done := open(t, path)
	defer done()
	if got := f.Find("mark", 0, 8<<20); got != nil {
		t.Errorf("found %q", got)
	}
}

func FuzzELF(f *testing.F) {
	f.Add(image([]byte("mark")))
	small := filepath.Join(f.TempDir(), "small")
	cmd := program.Command(f, "gcc", "-x", "c", "-shared", "-nostdlib", "-Wl,-z,noseparate-code", "-o", small, "-")
	cmd.Stdin = strings.NewReader("int exported(void) { return 1; }")
	if output, err := cmd.CombinedOutput(); err != nil {
		f.Fatalf("building a library: %v\n%s", err, output)
	}
	for _, path := range []string{program.Need(f, "true"), small} {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(_ *testing.T, b []byte) { askEverything(b) })
}

// askEverything asks a file all that can be asked; nothing may panic, hang or grow.
func askEverything(b []byte) {
	f, err := elf.New(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		f = &elf.File{}
	}
	f.Interp()
	f.Needed()
	f.BuildID()
	f.Exports("exported")
	f.Exports("")
	f.Section(".comment", 100)
	f.Section("", -1)
	f.Data(1<<63, 100)
	f.Data(0x400, 100)
	f.WritableData(100)
	f.Find("mark", 10, 1<<20)
	f.FindFunc("\x00", 10, 1<<20, func(hit []byte) bool { return len(hit) > 20 })
}

func open(t *testing.T, path string) (*elf.File, func()) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	st, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.New(file, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	return f, func() { file.Close() }
}
