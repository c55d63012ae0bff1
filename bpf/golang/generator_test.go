package golang

import (
	machine "debug/elf"
	"os"
	"path/filepath"
	"testing"

	testprogram "github.com/odi-dev/odi/internal/testkit/program"
)

// TestGenerator compares what the code of a program tells with its table of symbols.
func TestGenerator(t *testing.T) {
	for name, args := range map[string][]string{
		"amd64": nil, "arm64": nil, "amd64, optimised for newer processors": nil, "amd64, position-independent": {"-buildmode=pie"},
	} {
		t.Run(name, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), "hop")
			cmd := testprogram.Command(t, "go", append(append([]string{"build"}, args...), "-o", bin, "../testdata/hop")...)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+name[:5])
			if name == "amd64, optimised for newer processors" {
				cmd.Env = append(cmd.Env, "GOAMD64=v3")
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("building: %v: %s", err, out)
			}
			want := symbol(t, bin, "runtime.sched")
			f, parsed := opened(t, bin)
			found, err := findFunctions(f, parsed, "runtime.newproc1")
			if err != nil {
				t.Fatal(err)
			}
			// goidgen is the first field of runtime.schedt.
			if got := generatorOf(f, parsed, found[0]); got != want {
				t.Errorf("the code says %#x, the symbols %#x", got, want)
			}
		})
	}
}

func symbol(t *testing.T, path, name string) uint64 {
	t.Helper()
	f, err := machine.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("%s has no symbol %s", path, name)
	return 0
}
