package mysql_test

import (
	"io"
	"net"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/bpf/mysql"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestPyMySQL: what the library for Python sends, within TLS too, is seen where it asks.
func TestPyMySQL(t *testing.T) {
	addr := startTLSServer(t)
	_, port, _ := net.SplitHostPort(addr)
	s := roomtest.Watch(t, mysql.Protocol)
	for name, how := range map[string][]string{"plain": nil, "TLS": {"tls"}} {
		t.Run(name, func(t *testing.T) {
			cmd := program.Command(t, "python3", append([]string{"testdata/library.py", port}, how...)...)
			begin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			s.Target(t, cmd)
			if how != nil {
				roomtest.AwaitTLS(t, s.Engine, uint32(cmd.Process.Pid))
			}
			s.Reset()
			if _, err := io.WriteString(begin, "\n"); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]int{"SELECT": 200, "SELECT nope 1146": 10, "SET": 10}, s.Counts(probe.Client)); diff != "" {
				t.Errorf("(-want +got):\n%s; losses: %v", diff, s.Engine.Drops())
			}
		})
	}
}
