package mysql_test

import (
	"bufio"
	"context"
	databasesql "database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/bpf/mysql"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// asClient has this binary be a client of the server at the address that it names.
const asClient = "ODI_TEST_MYSQL"

func TestMain(m *testing.M) {
	if addr := os.Getenv(asClient); addr != "" {
		if err := client(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// client waits for a line and executes statements, prepared and not.
func client(addr string) error {
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	db, err := databasesql.Open("mysql", "root@tcp("+addr+")/test")
	if err != nil {
		return err
	}
	defer db.Close()
	prepared, err := db.Prepare("SELECT name FROM orders WHERE id = ?")
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	var failed error
	for range 4 {
		work.Go(func() {
			for i := range 50 {
				var name string
				if err := prepared.QueryRow(i%9 + 1).Scan(&name); err != nil {
					failed = err
				}
				if _, err := db.Exec("UPDATE orders SET name = 'secret' WHERE id = ?", i%9+1); err != nil {
					failed = err
				}
				if rows, err := db.Query("SELECT * FROM nowhere"); err == nil {
					_ = rows.Close()
				}
			}
		})
	}
	work.Wait()
	return failed
}

// seen is what an engine reports, by side and then by name and error.
type seen struct {
	mu     sync.Mutex
	counts map[probe.Kind]map[string]int
	texts  map[string]bool
	last   time.Time
}

// watch loads an engine until the test ends.
func watch(t *testing.T) (*seen, *bpf.Engine) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out tests that need root")
	}
	if os.Geteuid() != 0 && os.Getenv("CI") != "true" {
		t.Skip("loading BPF programs needs root")
	}
	e, err := bpf.Load(bpf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range e.Features() {
		if f.Name == probe.SocketSpans && strings.Contains(f.Reason, "mysql") {
			t.Skipf("this kernel: %s", f.Reason)
		}
	}
	s := &seen{}
	s.reset()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, s.add) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, e
}

func (s *seen) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts, s.texts = map[probe.Kind]map[string]int{probe.Client: {}, probe.Server: {}}, map[string]bool{}
}

func (s *seen) add(x *probe.Exchange) {
	if x.Protocol != mysql.Protocol.Code {
		return
	}
	var read probe.Span
	mysql.Decode(x, &read)
	what := strings.Clone(read.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range read.Attributes {
		switch a.Key {
		case "error.type":
			what += " " + a.Text
		case "db.query.text":
			s.texts[strings.Clone(a.Text)] = true
		}
	}
	s.counts[x.Kind][what]++
	s.last = time.Now()
}

// of returns what was seen of a side, once nothing has come for a while.
func (s *seen) of(kind probe.Kind) map[string]int {
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		s.mu.Lock()
		quiet := time.Since(s.last) > 400*time.Millisecond
		s.mu.Unlock()
		if quiet && time.Since(begin) > 400*time.Millisecond {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[kind]
}

// noSecret fails where a literal has left.
func (s *seen) noSecret(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for text := range s.texts {
		if strings.Contains(text, "secret") {
			t.Errorf("a literal has left: %s", text)
		}
	}
}

// startServer makes a database with a table of orders and starts its server.
func startServer(t *testing.T) (addr string, server *exec.Cmd) {
	t.Helper()
	owner, err := user.Lookup("mysql")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "odi-mysql")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	uid, _ := strconv.Atoi(owner.Uid)
	if err := os.Chown(dir, uid, -1); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	_ = l.Close()
	if out, err := program.Command(t, "mariadb-install-db", "--no-defaults", "--user=mysql", "--datadir="+dir+"/data", "--auth-root-authentication-method=normal", "--skip-test-db").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	server = program.Command(t, "mariadbd", "--no-defaults", "--user=mysql", "--datadir="+dir+"/data", "--port="+port, "--bind-address=127.0.0.1", "--socket="+dir+"/socket", "--max-connections=150", "--innodb-flush-log-at-trx-commit=0")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	sql := "CREATE DATABASE test; CREATE TABLE test.orders (id int PRIMARY KEY, name text); INSERT INTO test.orders VALUES (1,'secret'),(2,'b'),(3,'c'),(4,'d'),(5,'e'),(6,'f'),(7,'g'),(8,'h'),(9,'i')"
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		out, err := program.Command(t, "mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "root", "--skip-ssl", "-e", sql).CombinedOutput()
		if err == nil {
			return addr, server
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

func target(t *testing.T, e *bpf.Engine, cmd *exec.Cmd) {
	t.Helper()
	if err := e.AddTarget(probe.Target{PID: uint32(cmd.Process.Pid), Propagate: true, Children: true}); err != nil {
		t.Fatal(err)
	}
}

// TestRealServer: each query of a real client is seen at a real server, once, at 1, 10
// and 100 connections.
func TestRealServer(t *testing.T) {
	addr, server := startServer(t)
	_, port, _ := net.SplitHostPort(addr)
	s, e := watch(t)
	target(t, e, server)
	for _, connections := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			s.reset()
			out, err := program.Command(t, "mariadb-slap", "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "root", "--skip-ssl", "--create-schema=test", "--no-drop", "--delimiter=;",
				"--query=SELECT name FROM orders WHERE id = 3;UPDATE orders SET name = 'secret' WHERE id = 4", "--concurrency="+strconv.Itoa(connections), "--number-of-queries=1200").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got := s.of(probe.Server)
			for _, what := range []string{"SELECT orders", "UPDATE orders"} {
				if got[what] != 600 {
					t.Errorf("%s was seen %d times, want 600: %v; losses: %v", what, got[what], got, e.Drops())
				}
			}
		})
	}
	s.noSecret(t)
}

// TestRealClients: what a program in Go prepares and executes, and what the server's own
// client sends, is seen at both sides with its errors.
func TestRealClients(t *testing.T) {
	addr, server := startServer(t)
	_, port, _ := net.SplitHostPort(addr)
	s, e := watch(t)
	target(t, e, server)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	goes := exec.Command(self)
	goes.Env = append(os.Environ(), asClient+"="+addr)
	begin, err := goes.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	goes.Stderr = os.Stderr
	if err := goes.Start(); err != nil {
		t.Fatal(err)
	}
	target(t, e, goes)
	s.of(probe.Server)
	s.reset()
	if _, err := begin.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if err := goes.Wait(); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"SELECT orders": 200, "UPDATE orders": 200, "SELECT nowhere 1146": 200}
	for _, kind := range []probe.Kind{probe.Client, probe.Server} {
		got := s.of(kind)
		delete(got, "SET") // of the driver
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seen at side %d (-want +got):\n%s; losses: %v", kind, diff, e.Drops())
		}
	}

	own := program.Command(t, "mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "root", "--skip-ssl", "-f", "test")
	in, err := own.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := own.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond) // it is connected: what it says was not seen from the beginning
	target(t, e, own)
	s.reset()
	lines := []string{
		"SELECT name FROM orders WHERE name = 'secret';", "SELECT * FROM nowhere;", "SELECT REPEAT('x', 3000000);", "DELIMITER //",
		"CREATE PROCEDURE two() BEGIN SELECT 1; SELECT 2; END//", "DELIMITER ;", "CALL two();", "DO SLEEP(0.01);", "DELETE FROM orders WHERE id = 9;",
	}
	if _, err := in.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
		t.Fatal(err)
	}
	_ = in.Close()
	_ = own.Wait() // not zero, for the error
	for _, kind := range []probe.Kind{probe.Client, probe.Server} {
		got := s.of(kind)
		for what, n := range map[string]int{"SELECT orders": 1, "SELECT nowhere 1146": 1, "SELECT": 1, "CALL": 1, "DO": 1, "DELETE orders": 1} {
			if got[what] != n {
				t.Errorf("side %d: %q was seen %d times, want %d: %v; losses: %v", kind, what, got[what], n, got, e.Drops())
			}
		}
	}
	s.noSecret(t)
}
