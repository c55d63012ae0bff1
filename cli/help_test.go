package cli_test

import (
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/streams"
)

// TestHelpFitsATerminal: no word of any command's help is broken at 80 columns; one that is
// longer, as an address, stands in a line of its own.
func TestHelpFitsATerminal(t *testing.T) {
	const width = 80
	root := cli.New(streams.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, OutWidth: width}, cluster.New())
	commands := 0
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		commands++
		if cmd.Name() == "completion" || cmd.Parent() != nil && cmd.Parent().Name() == "completion" {
			return // cobra's own
		}
		var out strings.Builder
		cmd.SetOut(&out)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(out.String(), "\n") {
			if utf8.RuneCountInString(line) > width && len(strings.Fields(line)) > 3 {
				t.Errorf("%s --help has a line of %d columns:\n%s", cmd.CommandPath(), utf8.RuneCountInString(line), line)
			}
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(root)
	if commands < 100 {
		t.Errorf("only %d commands were looked at", commands)
	}
}
