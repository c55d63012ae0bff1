package postgres_test

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/postgres"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// owned copies a file to where PostgreSQL's user may read it, and nobody else.
func owned(t *testing.T, dir, from string) string {
	t.Helper()
	owner, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, filepath.Base(from))
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, to} {
		if err := os.Chown(path, uid, -1); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// TestOverTLS: a connection that becomes TLS is followed on both sides: the server's processes, each of
// which is forked for one, and the clients.
func TestOverTLS(t *testing.T) {
	cert, key := roomtest.Certificate(t)
	dir, err := os.MkdirTemp("", "odi-postgres-tls")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port, server := startServer(t, "ssl=on", "ssl_cert_file="+owned(t, dir, cert), "ssl_key_file="+owned(t, dir, key))
	s := roomtest.Watch(t, postgres.Protocol)
	s.Target(t, server)
	roomtest.AwaitTLS(t, s.Engine, uint32(server.Process.Pid))
	script := filepath.Join(dir, "script.sql")
	if err := os.WriteFile(script, []byte("\\sleep 1 ms\nSELECT relname FROM pg_class WHERE oid = 1;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(mode string, connections, each int) {
		t.Helper()
		bench := program.Command(t, tool(t, "pgbench"), "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-n", "-M", mode, "-f", script,
			"-c", strconv.Itoa(connections), "-t", strconv.Itoa(each), "postgres")
		bench.Env = append(os.Environ(), "PGSSLMODE=require")
		if out, err := bench.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	run("simple", 20, 1) // it is known now that it forks for each connection
	time.Sleep(200 * time.Millisecond)
	for _, mode := range []string{"simple", "extended", "prepared"} {
		for _, connections := range []int{1, 10, 50} {
			t.Run(fmt.Sprint(mode, " ", connections), func(t *testing.T) {
				s.Reset()
				run(mode, connections, 500/connections)
				if diff := cmp.Diff(map[string]int{"SELECT pg_class": 500}, s.Counts(probe.Server)); diff != "" {
					t.Errorf("losses %v (-want +got):\n%s", s.Engine.Drops(), diff)
				}
			})
		}
	}
}
