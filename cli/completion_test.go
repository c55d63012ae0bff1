package cli_test

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/odi-dev/odi/cli"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/streams"
)

// free are the flags whose values nobody can list, with the reason.
var free = map[string]string{
	"timeout": "a duration", "name": "a new name", "set": "values of the chart; of a destination they are completed", "sample": "a number", "sample-rule": "a path and a number",
	"pid": "processes come and go", "port": "a number", "exe": "any program", "route": "any path", "query-key": "any word", "otlp": "an address",
	"container": "a name in a file", "repository": "an address", "odi-namespace": "of a cluster that is not asked",
}

// TestEveryFlagCompletes: whatever has a few values, or can be listed, is completed.
func TestEveryFlagCompletes(t *testing.T) {
	root := cli.New(streams.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}, cluster.New())
	flags := 0
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		if cmd.Name() == "completion" || cmd.Name() == "help" {
			return
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			_, fields := cmd.GetFlagCompletionFunc(f.Name)
			_, file := f.Annotations[cobra.BashCompFilenameExt]
			isOfType := cmd.Parent() != nil && cmd.Parent().Name() == "add" && f.Name != "signals"
			flags++
			if f.Value.Type() != "bool" && !f.Hidden && f.Name != "help" && !fields && !file && free[f.Name] == "" && !isOfType {
				t.Errorf("%s --%s (%s) completes nothing", cmd.CommandPath(), f.Name, f.Value.Type())
			}
		})
		// What it takes is in its usage: <kind>/<name>, <name>, <type>.
		if strings.Contains(cmd.Use, "<") && cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
			t.Errorf("%s completes no argument", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(root)
	if flags < 100 {
		t.Errorf("only %d flags were looked at", flags)
	}
}
