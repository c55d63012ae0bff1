package golang

import (
	"path/filepath"
	"slices"
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
			found, err := findFunctions(f, bin, append(slices.Clone(grpcFunctions), handlers...)...)
			if err != nil {
				t.Fatal(err)
			}
			calls := facts.GRPC
			for at, in := range map[uint64]function{calls.Take: found[clientHeaderHandler], calls.Handler: found[handleStream], calls.Reader: found[handleStreams], facts.Handlers[0]: found[len(grpcFunctions)]} {
				entry, ok := bin.CodeOffset(in.addr)
				if !ok || at < entry || at >= entry+prologueMax {
					t.Errorf("a probe is at %#x, its function begins at %#x", at, entry)
				}
			}
			entry, ok := bin.CodeOffset(found[newStream].addr)
			if !ok || calls.Put <= entry || calls.Put >= entry+found[newStream].size {
				t.Errorf("a probe is at %#x, its function begins at %#x", calls.Put, entry)
			}
			if want := (Field{Offset: 0x6c}); calls.Stream != want {
				t.Errorf("a stream has its number at %+v, want %+v", calls.Stream, want)
			}
		})
	}
}
