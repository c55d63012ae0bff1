package run

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/testkit"
)

// TestPipelined sends more requests at once than the kernel keeps: the books say
// so, and the server answers all of them.
func TestPipelined(t *testing.T) {
	testkit.NeedRoot(t)
	const sent, keeps = 100, 64
	exe := named(t, "odi-test-pipelined")
	address, pid := startServer(t, exe)
	o := startODI(t, nil, "--pid", fmt.Sprint(pid), "-o", "none")
	o.says("tracing odi-test-pipelined")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	last := "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(conn, strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", sent-1)+last); err != nil {
		t.Fatal(err)
	}
	answers, err := io.ReadAll(conn)
	if got := strings.Count(string(answers), "200 OK"); got != sent || err != nil {
		t.Errorf("%d answers, want %d (%v)", got, sent, err)
	}
	o.interrupt()
	said := o.err.String()
	for _, want := range []string{
		fmt.Sprintf("%d requests were lost: more requests were in flight on one connection than odi keeps; of odi-test-pipelined %d (pipelined)", sent-keeps, sent-keeps),
		fmt.Sprintf("seen %d = sent %d + dropped %d (pipelined %d)", sent, keeps, sent-keeps, sent-keeps),
	} {
		if !strings.Contains(said, want) {
			t.Errorf("odi does not say %q:\n%s", want, said)
		}
	}
}
