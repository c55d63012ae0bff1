package golang

import (
	"path/filepath"
	"testing"

	testprogram "github.com/odi-dev/odi/internal/testkit/program"
)

// TestGRPCProbes builds a stripped program that uses gRPC's library, for both architectures:
// each probe is in the prologue of its function, where arguments are in registers.
func TestGRPCProbes(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "peer")
			cmd := testprogram.Command(t, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "../http2/testdata/peer")
			cmd.Env = append(cmd.Environ(), "GOARCH="+arch, "CGO_ENABLED=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("building: %v: %s", err, out)
			}
			f, bin := opened(t, path)
			version, _ := versionOf(bin)
			facts, err := factsOf(f, bin, version)
			if err != nil {
				t.Fatal(err)
			}
			found, err := findFunctions(f, bin, grpcFunctions...)
			if err != nil {
				t.Fatal(err)
			}
			for at, fn := range map[uint64]function{facts.GRPC.Put: found[0], facts.GRPC.Take: found[1]} {
				entry, ok := bin.CodeOffset(fn.addr)
				if !ok || at < entry || at >= entry+prologueMax {
					t.Errorf("a probe is at %#x, its function begins at %#x", at, entry)
				}
			}
		})
	}
}
