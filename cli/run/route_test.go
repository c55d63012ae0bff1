package run

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
)

func TestARouteThatIsNoneIsRefused(t *testing.T) {
	cmd := New(streams.Streams{Out: io.Discard, Err: io.Discard})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs([]string{"--exe", "x", "--route", "/ok/{id}", "--route", "users"})
	err := cmd.ExecuteContext(t.Context())
	if exit.Code(err) != exit.Usage || !strings.Contains(fmt.Sprint(err), `--route: the route "users" is none`) {
		t.Errorf("exit code %d: %v", exit.Code(err), err)
	}
}
