package golang

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/odi-dev/odi/internal/testkit/program"
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

// TestInspect builds the binaries that users have: stripped, and position-independent.
func TestInspect(t *testing.T) {
	for name, args := range map[string][]string{
		"stripped":             {"-trimpath", "-ldflags", "-s -w"},
		"position-independent": {"-buildmode=pie"},
	} {
		t.Run(name, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), "hop")
			cmd := program.Command(t, "go", append(append([]string{"build"}, args...), "-o", bin, "../testdata/hop")...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("building: %v: %s", err, out)
			}
			app := program.Command(t, bin, "127.0.0.1:0", "-", "direct")
			if err := app.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = app.Process.Kill(); _ = app.Wait() }()
			facts, err := Inspect(bin, uint32(app.Process.Pid))
			if err != nil {
				t.Fatal(err)
			}
			if facts.RoundTrip == 0 || facts.WriteLoopPC == 0 || facts.Offsets.GoID == 0 {
				t.Errorf("something is missing in %+v", facts)
			}
		})
	}
}

func TestInspectRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "noise")
	if err := os.WriteFile(file, []byte("\x7fELF and noise"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/bin/sh", file, "/nonexistent"} {
		if _, err := Inspect(path, uint32(os.Getpid())); !errors.Is(err, ErrNotGo) {
			t.Errorf("%s: got %v, want %v", path, err, ErrNotGo)
		}
	}
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
