package destination

import (
	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/destination/add"
	"github.com/odi-dev/odi/cli/destination/list"
	"github.com/odi-dev/odi/cli/destination/remove"
	"github.com/odi-dev/odi/cli/destination/test"
	"github.com/odi-dev/odi/cli/destination/types"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
)

// New returns the command with its subcommands.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "destination",
		Aliases: []string{"destinations", "dest"},
		Short:   "Say where the data goes",
		Long: `Say where the data goes: one destination is one backend.

In odi's own namespace a destination receives the data of all namespaces; in any
other namespace only that namespace's data.`,
		Example: `  odi destination types
  odi destination add jaeger --endpoint http://jaeger.observability:4317
  odi destination test jaeger
  odi destination list`,
		Args: exit.Subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(add.New(io, to), list.New(io, to), test.New(io, to), remove.New(io, to), types.New(io, to))
	return cmd
}
