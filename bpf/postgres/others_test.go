package postgres_test

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/postgres"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// asked has a client ask, watched from before its first connection on.
func asked(t *testing.T, s *roomtest.Seen, cmd *exec.Cmd) {
	t.Helper()
	begin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.Target(t, cmd)
	s.Reset()
	if _, err := io.WriteString(begin, "\n"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestOtherLibraries: what the libraries of other languages send, in pipelines, batches and transactions, is seen at both sides
// with the numbers that the programs in testdata have asked for.
func TestOtherLibraries(t *testing.T) {
	port, server := startServer(t)
	s := roomtest.Watch(t, postgres.Protocol)
	s.Target(t, server)
	tests := map[string]struct {
		command []string
		want    map[string]int
	}{
		"psycopg": {[]string{"python3", "testdata/libraries.py", "psycopg", port}, map[string]int{
			"SELECT": 50, "BATCH SELECT": 2, "SELECT nope 42P01": 1, "BEGIN": 1, "CREATE t": 1, "COMMIT": 1, "COPY": 1,
		}},
		"asyncpg": {[]string{"python3", "testdata/libraries.py", "asyncpg", port}, map[string]int{
			"SELECT": 200, "BATCH SELECT": 1, "SELECT nope 42P01": 1, "BEGIN": 1, "COMMIT": 1,
		}},
		"pgjdbc": {[]string{"java", "-cp", "/usr/share/java/postgresql.jar", "testdata/Libraries.java", port}, map[string]int{
			"SELECT": 50, "CREATE t": 1, "BATCH INSERT t": 2, "SELECT nope 42P01": 1,
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			asked(t, s, program.Command(t, tc.command[0], tc.command[1:]...))
			for _, kind := range []probe.Kind{probe.Client, probe.Server} {
				got := map[string]int{}
				for name, n := range s.Counts(kind) {
					name, _, _ = strings.Cut(name, " in ") // a database
					got[name] += n
				}
				for _, own := range []string{"SET", "SELECT pg_catalog", "postgresql"} { // of the libraries
					delete(got, own)
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("side %v (-want +got):\n%s; losses: %v", kind, diff, s.Engine.Drops())
				}
			}
		})
	}
}
