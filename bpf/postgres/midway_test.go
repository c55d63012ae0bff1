package postgres_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/postgres"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestAPoolThatWasOpen: a pool's connection is there before its process is watched, and
// what it sends first may be any part of the extended protocol. All that it asks is seen,
// with the text of what it prepares from then on.
func TestAPoolThatWasOpen(t *testing.T) {
	port, _ := startServer(t)
	binary := t.TempDir() + "/pooled"
	if out, err := program.Command(t, "go", "build", "-o", binary, "./testdata/pooled").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for how, want := range map[string]string{"early": "postgresql", "late": "INSERT orders", "cached": "postgresql"} {
		t.Run(how, func(t *testing.T) { askOpen(t, port, binary, how, want) })
	}
}

func askOpen(t *testing.T, port, binary, how, want string) {
	t.Helper()
	cmd := program.Command(t, binary, "postgres://postgres@127.0.0.1:"+port+"/postgres?sslmode=disable", how)
	s := roomtest.WatchOpen(t, postgres.Protocol, cmd)
	if diff := cmp.Diff(map[string]int{want: 20}, s.Counts(probe.Client)); diff != "" {
		t.Errorf("seen at the client (-want +got):\n%s; losses: %v", diff, s.Engine.Drops())
	}
	if leaked := s.Leaked("secret"); len(leaked) > 0 {
		t.Errorf("literals have left: %v", leaked)
	}
}
