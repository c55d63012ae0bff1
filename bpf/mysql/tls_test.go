package mysql_test

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/mysql"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
)

// startTLSServer starts a server that has a certificate.
func startTLSServer(t *testing.T) (addr string) {
	t.Helper()
	owner, err := user.Lookup("mysql")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	cert, key := roomtest.Certificate(t)
	dir, err := os.MkdirTemp("", "odi-mysql-tls") // its user may read it there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	var own []string
	for _, from := range []string{cert, key} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Base(from))
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
		own = append(own, to)
	}
	for _, path := range append(own, dir) {
		if err := os.Chown(path, uid, -1); err != nil {
			t.Fatal(err)
		}
	}
	addr, _ = startServer(t, "--ssl-cert="+own[0], "--ssl-key="+own[1])
	return addr
}

// TestOverTLS: a client that asks for TLS, and says who it is in it: each statement of its four connections has its span.
// The server reads the head of a packet by itself, which is no beginning that is sure: it is not seen.
func TestOverTLS(t *testing.T) {
	addr := startTLSServer(t)
	s := roomtest.Watch(t, mysql.Protocol)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	goes := &exec.Cmd{Path: self, Args: []string{self}, Env: append(os.Environ(), asClient+"="+addr, withSettings+"=?tls=skip-verify"), Stderr: os.Stderr}
	begin, err := goes.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := goes.Start(); err != nil {
		t.Fatal(err)
	}
	s.Target(t, goes)
	roomtest.AwaitTLS(t, s.Engine, uint32(goes.Process.Pid))
	_ = begin.Close()
	if err := goes.Wait(); err != nil {
		t.Fatal(err)
	}
	got := s.Counts(probe.Client)
	delete(got, "SET") // of the driver
	if diff := cmp.Diff(map[string]int{"SELECT orders": 200, "UPDATE orders": 200, "SELECT nowhere 1146": 200}, got); diff != "" {
		t.Errorf("(-want +got):\n%s; losses: %v", diff, s.Engine.Drops())
	}
	if leaked := s.Leaked("secret"); len(leaked) > 0 {
		t.Errorf("literals have left: %v", leaked)
	}
}
