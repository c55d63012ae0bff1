package postgres_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/postgres"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestPgxOverTLS: pgx asks for TLS, which is crypto/tls there. Its connection was open before it was watched, or is
// opened then: what it writes first begins the handshake.
func TestPgxOverTLS(t *testing.T) {
	cert, key := roomtest.Certificate(t)
	dir, err := os.MkdirTemp("", "odi-postgres-tls")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port, _ := startServer(t, "ssl=on", "ssl_cert_file="+owned(t, dir, cert), "ssl_key_file="+owned(t, dir, key))
	binary := t.TempDir() + "/pooled"
	if out, err := program.Command(t, "go", "build", "-o", binary, "./testdata/pooled").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for how, namespace := range map[string]string{"late": "", "anew": "postgres"} {
		t.Run(how, func(t *testing.T) { askOverTLS(t, port, binary, how, namespace) })
	}
}

func askOverTLS(t *testing.T, port, binary, how, namespace string) {
	t.Helper()
	cmd := program.Command(t, binary, "postgres://postgres@127.0.0.1:"+port+"/postgres?sslmode=require", how)
	s := roomtest.WatchOpen(t, postgres.Protocol, cmd, func(s *roomtest.Seen) { roomtest.AwaitTLS(t, s.Engine, uint32(cmd.Process.Pid)) })
	if diff := cmp.Diff(map[string]int{"INSERT orders": 20}, s.Counts(probe.Client)); diff != "" {
		t.Errorf("seen at the client (-want +got):\n%s; losses: %v", diff, s.Engine.Drops())
	}
	for _, span := range s.Spans(probe.Client) {
		if got := roomtest.Text(&span, "db.namespace"); got != namespace {
			t.Fatalf("the database is %q, want %q", got, namespace)
		}
	}
	if leaked := s.Leaked("secret"); len(leaked) > 0 {
		t.Errorf("literals have left: %v", leaked)
	}
}
