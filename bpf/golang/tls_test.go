package golang

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	testprogram "github.com/odi-dev/odi/internal/testkit/program"
)

const tlsProgram = `package main

import "net/http"

func main() {
	http.Get("https://127.0.0.1")
	http.ListenAndServeTLS("127.0.0.1:0", "", "", nil)
}
`

// TestTLSProbes builds a program as users do, for both architectures, with each release of Go that offsets are known of
// where the machine has it.
func TestTLSProbes(t *testing.T) {
	for name, tc := range map[string]struct {
		args, env []string
		none      bool
	}{
		"amd64":                        {env: []string{"GOARCH=amd64"}},
		"arm64":                        {env: []string{"GOARCH=arm64"}},
		"stripped":                     {args: []string{"-trimpath", "-ldflags", "-s -w"}},
		"position-independent":         {args: []string{"-buildmode=pie"}},
		"for newer processors":         {env: []string{"GOARCH=amd64", "GOAMD64=v3"}},
		"for a debugger: no such call": {args: []string{"-gcflags=all=-N -l"}, none: true},
	} {
		t.Run(name, func(t *testing.T) {
			facts, f := factsOfTLS(t, tc.args, tc.env)
			if tc.none {
				if facts.TLS != (TLS{}) {
					t.Errorf("want no places, got %+v", facts.TLS)
				}
				return
			}
			g := facts.TLS
			if g.Write == 0 || g.Read == 0 || g.Close == 0 || g.Client == 0 || g.Server == 0 || g.Slot < 64 || g.Slot > 256 || g.Slot%8 != 0 {
				t.Errorf("something is missing in %+v", g)
			}
			code := make([]byte, 16)
			if _, err := f.ReadAt(code, int64(g.Read)); err != nil {
				t.Fatal(err)
			}
			if inst, err := x86asm.Decode(code, 64); name != "arm64" && (err != nil || inst.Op != x86asm.CALL) {
				t.Errorf("plaintext is read at %v, %v; want a call, which the kernel emulates", inst, err)
			}
		})
	}
}

func factsOfTLS(t *testing.T, args, env []string) (Facts, *os.File) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.go": tlsProgram, "go.mod": "module probe\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := testprogram.Command(t, "go", append(append([]string{"build"}, args...), "-o", "probe", ".")...)
	cmd.Dir = dir
	cmd.Env = append(append(cmd.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v: %s", err, out)
	}
	f, bin := opened(t, filepath.Join(dir, "probe"))
	version, _ := versionOf(bin)
	facts, err := factsOf(f, bin, version)
	if err != nil {
		t.Fatal(err)
	}
	return facts, f
}

func FuzzCopyIn(f *testing.F) {
	f.Add([]byte{0x48, 0x83, 0xec, 0x58, 0x48, 0x89, 0x44, 0x24, 0x68, 0xe8, 0, 0, 0, 0}, uint64(14))
	f.Fuzz(func(_ *testing.T, code []byte, callee uint64) {
		copyInX86(code, callee)
		copyInARM(code, callee)
	})
}
