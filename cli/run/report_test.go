package run

import (
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
)

func TestReasonLines(t *testing.T) {
	b := books.Balance{Dropped: map[loss.Name]uint64{"pipelined": 8, loss.Detached: 1}}
	whose := map[loss.Name]map[string]uint64{loss.Detached: {"a": 1, "b": 9, "c\x1b": 3, "d": 3, "e": 2, "f": 1}}
	got := reasonLines(b, map[string]uint64{"header_not_written": 2, "truncated": 0}, func(r loss.Name) map[string]uint64 { return whose[r] })
	want := []string{
		"1 request was lost: the request ended after odi had let go of its process; of b 9, c? 3, d 3, e 2, a 1, and others (detached)",
		"8 requests were lost: more requests were in flight on one connection than odi keeps (pipelined)",
		"2 requests were recorded without a part: the request went out without traceparent (header_not_written)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestStartError(t *testing.T) {
	lookUp := map[string]error{"no-such-command-of-odi": &exec.Error{Name: "no-such-command-of-odi", Err: exec.ErrNotFound}}
	for command, want := range map[string]string{
		"no-such-command-of-odi": "odi run: starting no-such-command-of-odi: executable file not found in $PATH",
		"/no/such":               "odi run: starting /no/such: no such file or directory",
		"/tmp":                   "odi run: starting /tmp: permission denied",
	} {
		err := startError(command, (&exec.Cmd{Path: command, Err: lookUp[command]}).Run())
		if exit.Code(err) != exit.Usage || err.Error() != want {
			t.Errorf("exit code %d: %v, want %s", exit.Code(err), err, want)
		}
	}
}
