package mysql_test

import (
	"bufio"
	databasesql "database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/mysql"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// asClient has this binary be a client of the server at the address that it names.
const asClient = "ODI_TEST_MYSQL"

// withSettings has settings of a client's connections.
const withSettings = "ODI_TEST_MYSQL_SETTINGS"

func TestMain(m *testing.M) {
	if addr := os.Getenv(asClient); addr != "" {
		run := client
		if how := os.Getenv(asPool); how != "" {
			run = func(addr string) error { return pool(addr, how) }
		}
		if err := run(addr); err != nil {
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
	db, err := databasesql.Open("mysql", "root@tcp("+addr+")/test"+os.Getenv(withSettings))
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

// startServer makes a database with a table of orders and starts its server.
func startServer(t *testing.T, settings ...string) (addr string, server *exec.Cmd) {
	t.Helper()
	dir := roomtest.Folder(t, "mysql")
	addr = loopback.Address(t)
	_, port, _ := net.SplitHostPort(addr)
	if out, err := program.Command(t, "mariadb-install-db", "--no-defaults", "--user=mysql", "--datadir="+dir+"/data", "--auth-root-authentication-method=normal", "--skip-test-db").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	server = program.Command(t, "mariadbd", append([]string{"--no-defaults", "--user=mysql", "--datadir=" + dir + "/data", "--port=" + port, "--bind-address=127.0.0.1", "--socket=" + dir + "/socket", "--max-connections=150", "--innodb-flush-log-at-trx-commit=0"}, settings...)...)
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

// TestRealServer: each query of a real client is seen at a real server, once, at 1, 10
// and 100 connections.
func TestRealServer(t *testing.T) {
	addr, server := startServer(t)
	_, port, _ := net.SplitHostPort(addr)
	s := roomtest.Watch(t, mysql.Protocol)
	s.Target(t, server)
	for _, connections := range []int{1, 10, 100} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			s.Reset()
			out, err := program.Command(t, "mariadb-slap", "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "root", "--skip-ssl", "--create-schema=test", "--no-drop", "--delimiter=;",
				"--query=SELECT name FROM orders WHERE id = 3;UPDATE orders SET name = 'secret' WHERE id = 4", "--concurrency="+strconv.Itoa(connections), "--number-of-queries=1200").CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			got := s.Counts(probe.Server)
			for _, what := range []string{"SELECT orders", "UPDATE orders"} {
				if got[what] != 600 {
					t.Errorf("%s was seen %d times, want 600: %v; losses: %v", what, got[what], got, s.Engine.Drops())
				}
			}
			if leaked := s.Leaked("secret"); len(leaked) > 0 {
				t.Errorf("literals have left: %v", leaked)
			}
		})
	}
}

// TestRealClients: what a program in Go prepares and executes, and what the server's own
// client sends, is seen at both sides with its errors.
func TestRealClients(t *testing.T) {
	addr, server := startServer(t)
	_, port, _ := net.SplitHostPort(addr)
	s := roomtest.Watch(t, mysql.Protocol)
	s.Target(t, server)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	goes := &exec.Cmd{Path: self, Args: []string{self}, Env: append(os.Environ(), asClient+"="+addr)}
	begin, err := goes.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	goes.Stderr = os.Stderr
	if err := goes.Start(); err != nil {
		t.Fatal(err)
	}
	s.Target(t, goes)
	s.Reset()
	if _, err := begin.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if err := goes.Wait(); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"SELECT orders": 200, "UPDATE orders": 200, "SELECT nowhere 1146": 200}
	for _, kind := range []probe.Kind{probe.Client, probe.Server} {
		got := s.Counts(kind)
		delete(got, "SET") // of the driver
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seen at side %d (-want +got):\n%s; losses: %v", kind, diff, s.Engine.Drops())
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
	s.Target(t, own)
	s.Reset()
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
		got := s.Counts(kind)
		for what, n := range map[string]int{"SELECT orders": 1, "SELECT nowhere 1146": 1, "SELECT": 1, "CALL": 1, "DO": 1, "DELETE orders": 1} {
			if got[what] != n {
				t.Errorf("side %d: %q was seen %d times, want %d: %v; losses: %v", kind, what, got[what], n, got, s.Engine.Drops())
			}
		}
	}
	if leaked := s.Leaked("secret"); len(leaked) > 0 {
		t.Errorf("literals have left: %v", leaked)
	}
}
