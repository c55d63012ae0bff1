package bpf_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/roomtest"
	"github.com/odi-dev/odi/internal/testkit/loopback"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// manyCurls asks by programs of their own, as often and for the path that each line says that it reads.
const manyCurls = `
while read -r times path; do
  for ((i = 0; i < times; i++)); do
    : "$(curl -sS -m 30 --cacert "$2" "https://$1/$path$i" | cat)"
  done
  echo asked
done`

// TestShortLivedOverTLS: a program that asks once and is gone is seen, if the same process has started some of its kind
// before: there are probes on its library before it has loaded that.
func TestShortLivedOverTLS(t *testing.T) {
	needRoot(t)
	program.Need(t, "curl")
	cert, key := roomtest.Certificate(t)
	addr := loopback.Address(t)
	server := start(t, addr, "python3", "testdata/tlshop.py", addr, "-", cert, key)
	r := record(t, server)
	roomtest.AwaitTLS(t, r.engine, server) // the programs are loaded
	shell := program.Command(t, "bash", "-c", manyCurls, "bash", addr, cert)
	shell.Stderr = os.Stderr
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	if err := r.engine.AddTarget(probe.Target{PID: uint32(shell.Process.Pid), Children: true}); err != nil {
		t.Fatal(err)
	}
	const few, many = 30, 200
	for _, order := range []string{fmt.Sprint(few, " first"), fmt.Sprint(many, " short")} {
		if _, err := fmt.Fprintln(in, order); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, len("asked\n"))); err != nil {
			t.Fatal(err)
		}
	}
	_ = in.Close()
	if err := shell.Wait(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, s := range r.waitFor(2 * (few + many)) {
		if s.Kind == probe.Client && strings.HasPrefix(s.path, "/short") { // of the first some may be missed
			seen[s.path]++
		}
	}
	for i := range many {
		if path := fmt.Sprint("/short", i); seen[path] != 1 {
			t.Errorf("%s is seen %d times", path, seen[path])
		}
	}
	if len(seen) != many {
		t.Errorf("%d of %d clients are seen (lost: %v)", len(seen), many, r.engine.Drops())
	}
}
