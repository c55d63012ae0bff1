package golang

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/odi-dev/odi/internal/procfs/elf"
	"github.com/odi-dev/odi/internal/testkit"
	testprogram "github.com/odi-dev/odi/internal/testkit/program"
)

func TestOffsetsOf(t *testing.T) {
	tests := map[string]struct {
		version string
		want    uint16
		wantErr bool
	}{
		"a release":                  {version: "go1.26.8", want: 152},
		"a release candidate":        {version: "go1.27rc1", want: 152},
		"a release with experiments": {version: "go1.24.1 X:boringcrypto", want: 160},
		"a development version":      {version: "devel go1.28-abcdef", wantErr: true},
		"a version before the table": {version: "go1.18.1", wantErr: true},
		"a hidden version":           {version: "", wantErr: true},
		"nonsense":                   {version: "banana", wantErr: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := offsetsOf(tc.version)
			if (err != nil) != tc.wantErr || got.GoID != tc.want {
				t.Errorf("got goid at %d, %v; want %d", got.GoID, err, tc.want)
			}
		})
	}
}

func TestProbePlacement(t *testing.T) {
	tests := map[string]struct {
		code    []byte
		want    uint64
		wantErr bool
	}{
		"the push after the stack check": {code: []byte{0x49, 0x3b, 0x66, 0x10, 0x76, 0x20, 0x55, 0x48, 0x89, 0xe5}, want: 6},
		"a big frame":                    {code: []byte{0x4c, 0x8d, 0xa4, 0x24, 0x00, 0xff, 0xff, 0xff, 0x4d, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0, 1, 0, 0, 0x55}, want: 18},
		"no push: the jump":              {code: []byte{0x49, 0x3b, 0x66, 0x10, 0x76, 0x20, 0x48, 0x83, 0xec, 0x18}, want: 4},
		"another function's code":        {code: []byte{0xc3, 0x90}, wantErr: true},
		"no code":                        {code: nil, wantErr: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := emulated(tc.code)
			if (err != nil) != tc.wantErr || (err == nil && got != tc.want) {
				t.Errorf("got %d, %v; want %d", got, err, tc.want)
			}
		})
	}
}

// TestInspect builds the binaries that users have, and finds in memory what it
// looks for: stripped ones, position-independent ones, and those whose name
// says nothing, because it has blanks or the file was replaced.
func TestInspect(t *testing.T) {
	stripped := []string{"-trimpath", "-ldflags", "-s -w"}
	pie := []string{"-buildmode=pie"}
	for name, tc := range map[string]struct {
		args    []string
		file    string
		removed bool
	}{
		"stripped":                       {args: stripped, file: "hop"},
		"position-independent":           {args: pie, file: "hop"},
		"its name has blanks":            {args: pie, file: "hop (deleted) 1-2 r-xp 0"},
		"its file was replaced":          {args: pie, file: "hop", removed: true},
		"stripped and its file replaced": {args: stripped, file: "hop", removed: true},
	} {
		t.Run(name, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), tc.file)
			cmd := testprogram.Command(t, "go", append(append([]string{"build"}, tc.args...), "-o", bin, "../testdata/hop")...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("building: %v: %s", err, out)
			}
			want := bytesOf(t, bin)
			app := testprogram.Command(t, bin, "127.0.0.1:0", "-", "direct")
			if err := app.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = app.Process.Kill(); _ = app.Wait() }()
			if tc.removed {
				if err := os.Remove(bin); err != nil {
					t.Fatal(err)
				}
			}
			facts, err := inspect(t, NewInspector(), fmt.Sprintf("/proc/%d/exe", app.Process.Pid), app.Process.Pid)
			if err != nil {
				t.Fatal(err)
			}
			if facts.RoundTrip == 0 || facts.Offsets.GoID == 0 {
				t.Errorf("something is missing in %+v", facts)
			}
			if got := memoryAt(t, app.Process.Pid, facts.WriteLoopPC); !bytes.Equal(got, want) {
				t.Errorf("at %#x are %x, but persistConn.writeLoop begins with %x", facts.WriteLoopPC, got, want)
			}
			testkit.Eventually(t, 10*time.Second, "ids of goroutines are taken by sixteens", func() bool {
				newest := binary.LittleEndian.Uint64(memoryAt(t, app.Process.Pid, facts.GoIDGen))
				return newest > 0 && newest < 10_000 && newest%16 == 0
			})
		})
	}
}

// opened is an executable, closed when the test ends.
func opened(t *testing.T, path string) (*os.File, *elf.File) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	bin, err := elf.New(f, st.Size())
	if err != nil {
		t.Fatal(err)
	}
	return f, bin
}

// bytesOf returns the first instructions of persistConn.writeLoop in a file.
func bytesOf(t *testing.T, path string) []byte {
	t.Helper()
	f, bin := opened(t, path)
	found, err := findFunctions(f, bin, "net/http.(*persistConn).writeLoop")
	if err != nil {
		t.Fatal(err)
	}
	at, ok := bin.CodeOffset(found[0].addr)
	code := make([]byte, 32)
	if _, err := f.ReadAt(code, int64(at)); err != nil || !ok {
		t.Fatalf("reading the function at %#x: %v", at, err)
	}
	return code
}

func memoryAt(t *testing.T, pid int, addr uint64) []byte {
	t.Helper()
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mem.Close() }()
	code := make([]byte, 32)
	if _, err := mem.ReadAt(code, int64(addr)); err != nil {
		t.Errorf("reading the process at %#x: %v", addr, err)
	}
	return code
}

func inspect(t *testing.T, i *Inspector, path string, pid int) (Facts, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	return i.Inspect(f, uint32(pid))
}

// TestInspectRefuses looks at what is no Go program, and at what hides whether it is.
func TestInspectRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	compiler, err := os.ReadFile(testprogram.Need(t, "go"))
	if err != nil {
		t.Fatal(err)
	}
	bare := bytes.Clone(compiler) // as packers leave it: no section table, and no build information in clear
	copy(bare[0x28:0x30], make([]byte, 8))
	copy(bare[0x3c:0x40], make([]byte, 4))
	packed := bytes.ReplaceAll(bare, []byte(infoMagic), make([]byte, len(infoMagic)))
	marked := bytes.Clone(shell)
	copy(marked[900:], upxMark)
	odd := bytes.ReplaceAll(compiler, []byte(infoMagic), make([]byte, len(infoMagic)))
	for name, tc := range map[string]struct {
		path string
		want error
	}{
		"a shell":                    {path: "/bin/sh", want: ErrNotGo},
		"noise":                      {path: file("noise", []byte("\x7fELF and noise")), want: ErrNotGo},
		"an empty file":              {path: file("empty", nil), want: ErrNotGo},
		"a packed Go program":        {path: file("packed", packed), want: ErrHidden},
		"a packed program with ELF":  {path: file("marked", marked), want: ErrHidden},
		"Go without a version":       {path: file("odd", odd), want: ErrNoVersion},
		"Go without a section table": {path: file("bare", bare), want: ErrNoTable},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := inspect(t, NewInspector(), tc.path, os.Getpid()); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

// TestInspectReadsOnce proves that a second process of a program costs no look at
// its file, and that another file of its name is another program.
func TestInspectReadsOnce(t *testing.T) {
	i := NewInspector()
	path := filepath.Join(t.TempDir(), "app")
	if err := os.WriteFile(path, []byte("nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := inspect(t, i, path, os.Getpid()); !errors.Is(err, ErrNotGo) {
			t.Fatal(err)
		}
	}
	if n := i.seen.Len(); n != 1 {
		t.Errorf("%d programs are remembered, want 1", n)
	}
	if err := os.WriteFile(path, []byte("something"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := inspect(t, i, path, os.Getpid()); !errors.Is(err, ErrNotGo) {
		t.Fatal(err)
	}
	if n := i.seen.Len(); n != 2 {
		t.Errorf("%d programs are remembered, want 2", n)
	}
}

func FuzzVersionOf(f *testing.F) {
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		bin, err := elf.New(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		versionOf(bin)
		hides(bin, data)
	})
}

func FuzzParseTable(f *testing.F) {
	f.Add([]byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8})
	f.Fuzz(func(_ *testing.T, data []byte) {
		table, err := parseTable(data, 0x1000)
		if err != nil {
			return
		}
		table.find("net/http.(*persistConn).roundTrip")
	})
}
