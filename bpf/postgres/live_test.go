package postgres_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/postgres"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// tool is a program of PostgreSQL's, which are not in the PATH.
func tool(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return program.Need(t, name)
	}
	return found[len(found)-1]
}

// startServer makes a cluster and starts it; it takes no superuser.
func startServer(t *testing.T, settings ...string) (port string, server *exec.Cmd) {
	t.Helper()
	dir := roomtest.Folder(t, "postgres")
	port = loopback.Port(t)
	as := []string{"--reuid", "postgres", "--clear-groups", "--regid", "postgres", "--"}
	if out, err := program.Command(t, "setpriv", append(as, tool(t, "initdb"), "-D", dir+"/data", "-A", "trust", "--no-sync")...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	as = append(as, tool(t, "postgres"), "-D", dir+"/data", "-p", port, "-k", dir, "-c", "fsync=off", "-c", "max_connections=120")
	for _, setting := range settings {
		as = append(as, "-c", setting)
	}
	server = program.Command(t, "setpriv", as...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt) // its children, too
		_ = server.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if program.Command(t, tool(t, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port).Run() == nil {
			return port, server
		}
		if time.Now().After(deadline) {
			t.Fatal("postgres is not ready")
		}
	}
}

// TestRealServer: each statement that real clients have a real server execute is seen
// there, once, at 1, 10 and 100 connections: as queries, parsed each time, and prepared.
func TestRealServer(t *testing.T) {
	port, server := startServer(t)
	s := roomtest.Watch(t, postgres.Protocol)
	s.Target(t, server)
	psql := func(sql string) {
		t.Helper()
		if out, err := program.Command(t, tool(t, "psql"), "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-q", "-c", sql).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	psql("CREATE TABLE orders (id int PRIMARY KEY, name text)")
	psql("INSERT INTO orders SELECT i, 'secret ' || i FROM generate_series(1, 1000) i")
	script := filepath.Join(t.TempDir(), "script.sql")
	text := "\\set id random(1, 1000)\nSELECT name FROM orders WHERE id = :id;\nUPDATE orders SET name = 'secret' WHERE id = :id;\n"
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Reset()
	for _, mode := range []string{"simple", "extended", "prepared"} {
		for _, connections := range []int{1, 10, 100} {
			t.Run(fmt.Sprint(mode, " ", connections), func(t *testing.T) {
				s.Reset()
				each := 600 / connections
				out, err := program.Command(t, tool(t, "pgbench"), "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-n", "-M", mode, "-f", script,
					"-c", strconv.Itoa(connections), "-j", "2", "-t", strconv.Itoa(each), "postgres").CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				if diff := cmp.Diff(map[string]int{"SELECT orders": 600, "UPDATE orders": 600}, s.Counts(probe.Server)); diff != "" {
					t.Errorf("seen at the server (-want +got):\n%s; losses: %v", diff, s.Engine.Drops())
				}
				if leaked := s.Leaked("secret"); len(leaked) > 0 {
					t.Errorf("literals have left: %v", leaked)
				}
			})
		}
	}
}

// TestRealClient: what psql sends is seen with its errors and its database, statements
// that follow an error in one query too, copied data and notifications in between.
func TestRealClient(t *testing.T) {
	port, _ := startServer(t)
	s := roomtest.Watch(t, postgres.Protocol)
	cmd := program.Command(t, tool(t, "psql"), "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-q", "-v", "ON_ERROR_STOP=0", "template1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // it is connected: what it says was not seen from the beginning
	s.Target(t, cmd)
	lines := []string{
		"SELECT 1;", "SELECT * FROM nowhere;", "\\connect postgres", "CREATE TABLE t (id int, name text);", "COPY t FROM STDIN;", "1\tone", "2\ttwo", "\\.",
		"LISTEN x;", "NOTIFY x, 'secret';", "SELECT id FROM t WHERE name = 'secret';", "INSERT INTO t VALUES (1/0, 'x');", "BEGIN\\; SELECT 1\\; COMMIT;",
		"SELECT repeat('x', 3000000);", "PREPARE p AS SELECT $1::int;", "EXECUTE p(3);", "\\q",
	}
	if _, err := in.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	got := s.Counts(probe.Client)
	for what, n := range map[string]int{
		"SELECT nowhere 42P01": 1, "CREATE t": 1, "COPY": 1, "LISTEN": 1, "NOTIFY": 1, "SELECT t": 1, "INSERT t 22012": 1,
	} {
		found := 0
		for have, times := range got {
			if have == what || strings.HasPrefix(have, what+" in ") {
				found += times
			}
		}
		if found != n {
			t.Errorf("%q was seen %d times, want %d", what, found, n)
		}
	}
	if leaked := s.Leaked("secret"); len(leaked) > 0 {
		t.Errorf("literals have left: %v", leaked)
	}
	t.Logf("seen: %v; losses: %v", got, s.Engine.Drops())
}
