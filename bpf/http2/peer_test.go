package http2_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/testkit/program"
)

var grpcVersion = flag.String("grpc", "", "build the peer with this version of google.golang.org/grpc, such as v1.50.1, from the network")

// peer builds the program of testdata/peer.
func peer(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "peer")
	if *grpcVersion != "" {
		buildWith(t, bin, *grpcVersion)
		return bin
	}
	if out, err := program.Command(t, "go", "build", "-o", bin, "./testdata/peer").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// buildWith builds the peer as a module of its own, which asks for nothing else.
func buildWith(t *testing.T, bin, version string) {
	t.Helper()
	dir := t.TempDir()
	sources, err := filepath.Glob("testdata/peer/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range sources {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		older := strings.ReplaceAll(string(source), "grpc.NewClient(", "grpc.Dial(") // which came with 1.63
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), []byte(older), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"mod", "init", "peer"}, {"get", "google.golang.org/grpc@" + version}, {"mod", "tidy"}, {"build", "-ldflags", "-s -w", "-o", bin, "."}} {
		cmd := program.Command(t, "go", args...)
		cmd.Dir = dir
		cmd.Env = append(cmd.Environ(), "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
}
