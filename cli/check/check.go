// Package check implements `odi check`: what the kernel of this machine can do
// for odi, feature by feature.
package check

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/odiglet"
	"github.com/odi-dev/odi/odiglet/host"
)

// feature is one step of the ladder, as it is printed.
type feature struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// New returns the command.
func New(io streams.Streams) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say what the kernel of this machine can do for odi",
		Long: `Say what the kernel of this machine can do for odi: each feature is Active,
Degraded or Unavailable, with the reason. The engine is loaded for that and removed
again; no process is touched. What the nodes of a cluster can do is shown by
odi status.`,
		Example: "  sudo odi check\n  sudo odi check -o json",
		Args:    exit.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if lacking := host.MissingCapabilities(); len(lacking) > 0 {
				return fmt.Errorf("odi check may not load the engine: it lacks %s; run it as root (sudo odi check)", strings.Join(lacking, ", "))
			}
			ladder := features()
			if !format.ForPeople() {
				return output.Value(io.Out, format, ladder)
			}
			return print(io, ladder)
		},
	}
	output.AddFlag(cmd, &format)
	return cmd
}

// features loads the engine and lets it go. One that cannot be loaded has a
// ladder too: it says why.
func features() []feature {
	ladder := odiglet.Ladder(slog.New(slog.DiscardHandler))
	out := make([]feature, 0, len(ladder))
	for _, f := range ladder {
		out = append(out, feature{Name: string(f.Name), State: string(f.State), Reason: f.Reason})
	}
	return out
}

func print(io streams.Streams, ladder []feature) error {
	t := output.Table{Columns: []string{"feature", "state", "reason"}}
	for _, f := range ladder {
		t.Rows = append(t.Rows, []string{f.Name, f.State, f.Reason})
	}
	return t.Print(output.Out(io), output.FormatTable)
}
