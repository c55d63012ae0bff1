package mysql_test

import (
	"bufio"
	databasesql "database/sql"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/mysql"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
)

// asPool has this binary open a connection to the server that asClient names, say so, and
// ask when it is told to, in the way that it names.
const asPool = "ODI_TEST_MYSQL_POOL"

const pooledTimes = 20

// pool executes what it has prepared before (early), or prepares what it executes (late).
func pool(addr, how string) error {
	db, err := databasesql.Open("mysql", "root@tcp("+addr+")/test")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	early, err := db.Prepare("SELECT name FROM orders WHERE id = ? AND name <> 'secret'")
	if err != nil {
		return err
	}
	fmt.Println("connected")
	if !bufio.NewScanner(os.Stdin).Scan() {
		return nil
	}
	for i := range pooledTimes {
		if how == "late" {
			_, err = db.Exec("UPDATE orders SET name = ? WHERE id = ?", "secret too", i%9+1)
		} else {
			var name string
			err = early.QueryRow(i%8 + 2).Scan(&name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestAPoolThatWasOpen: a pool's connection is there before its process is watched, and
// what it sends first prepares a statement or executes one. All that it asks is seen, with
// the text of what it prepares from then on; that of what was prepared before is not made up.
func TestAPoolThatWasOpen(t *testing.T) {
	addr, _ := startServer(t)
	for how, want := range map[string]string{"early": "mysql", "late": "UPDATE orders"} {
		t.Run(how, func(t *testing.T) { askOpen(t, addr, how, want) })
	}
}

func askOpen(t *testing.T, addr, how, want string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: self, Args: []string{self}, Env: append(os.Environ(), asClient+"="+addr, asPool+"="+how), Stderr: os.Stderr}
	s := roomtest.WatchOpen(t, mysql.Protocol, cmd)
	if diff := cmp.Diff(map[string]int{want: pooledTimes}, s.Counts(probe.Client)); diff != "" {
		t.Errorf("seen at the client (-want +got):\n%s; losses: %v", diff, s.Engine.Drops())
	}
	for _, span := range s.Spans(probe.Client) {
		if text := roomtest.Text(&span, "db.query.text"); how == "early" && text != "" {
			t.Errorf("the text of what was prepared before is %q", text)
		}
	}
	if leaked := s.Leaked("secret"); len(leaked) > 0 {
		t.Errorf("literals have left: %v", leaked)
	}
}
