package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/check"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/complete"
	"github.com/odi-dev/odi/cli/describe"
	"github.com/odi-dev/odi/cli/destination"
	"github.com/odi-dev/odi/cli/diagnose"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/explain"
	"github.com/odi-dev/odi/cli/inject"
	"github.com/odi-dev/odi/cli/install"
	"github.com/odi-dev/odi/cli/instrument"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/run"
	"github.com/odi-dev/odi/cli/status"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/cli/uninstall"
	"github.com/odi-dev/odi/cli/uninstrument"
	"github.com/odi-dev/odi/cli/upgrade"
	"github.com/odi-dev/odi/cli/version"
)

// The groups of help, in the order of a user's first day.
const (
	groupSetUp = "setup"
	groupUse   = "use"
	groupLook  = "look"
)

// room is one command and the group of help that it is shown in.
type room struct {
	group string
	make  func(streams.Streams, *cluster.Cluster) *cobra.Command
}

// rooms lists every command, in the order of help.
var rooms = []room{
	{groupSetUp, install.New},
	{groupSetUp, upgrade.New},
	{groupSetUp, uninstall.New},
	{groupUse, instrument.New},
	{groupUse, uninstrument.New},
	{groupUse, destination.New},
	{groupUse, offline(run.New)},
	{groupUse, offline(inject.New)},
	{groupLook, status.New},
	{groupLook, describe.New},
	{groupLook, check.New},
	{groupLook, offline(explain.New)},
	{groupLook, diagnose.New},
	{"", version.New},
}

// offlineAnnotation keeps the flags of the cluster out of a command's help.
const offlineAnnotation = "offline"

// offline adapts a command that needs no cluster.
func offline(make func(streams.Streams) *cobra.Command) func(streams.Streams, *cluster.Cluster) *cobra.Command {
	return func(io streams.Streams, _ *cluster.Cluster) *cobra.Command {
		cmd := make(io)
		cmd.Annotations = map[string]string{offlineAnnotation: "true"}
		refuseClusterFlags(cmd)
		return cmd
	}
}

// refuseClusterFlags says that there is no cluster to which they could matter, before
// the command does something else than was meant.
func refuseClusterFlags(cmd *cobra.Command) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, name := range []string{"namespace", "context", "kubeconfig"} {
			if cmd.Flags().Changed(name) {
				return exit.Usagef("%s asks no cluster, so that --%s means nothing to it; see %s --help", cmd.CommandPath(), name, cmd.CommandPath())
			}
		}
		return run(cmd, args)
	}
}

// New returns the root command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	root := &cobra.Command{
		Use:   "odi",
		Short: "Traces and metrics for every service, with no code change",
		Long: `odi shows what your services do - traces and metrics -
with no code change and no restart.`,
		Example: `  odi install
  odi destination add jaeger --endpoint http://jaeger.observability:4317
  odi instrument namespace shop
  odi status`,
		Args:          exit.Subcommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:       version.Line(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(io.In)
	root.SetOut(io.Out)
	root.SetErr(io.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if meant := exit.FlagSuggestion(cmd, err); meant != "" {
			return exit.Usagef("%w%s", err, meant)
		}
		return exit.Usagef("%w; see %s --help", exit.FlagError(err), cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: groupSetUp, Title: "Set up:"},
		&cobra.Group{ID: groupUse, Title: "Use:"},
		&cobra.Group{ID: groupLook, Title: "Look:"},
	)
	// Help lists commands in the order of rooms: the order of a user's first day.
	cobra.EnableCommandSorting = false
	fitHelp(root, io.OutWidth)
	root.SetVersionTemplate("{{.Version}}\n")
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	to.AddFlags(root.PersistentFlags())
	complete.Flags(root, to)
	for _, room := range rooms {
		cmd := room.make(io, to)
		cmd.GroupID = room.group
		root.AddCommand(cmd)
	}
	return root
}

// Run runs one command line and returns the exit code. A failure is one line on io.Err.
func Run(ctx context.Context, io streams.Streams, args []string) int {
	to := cluster.New()
	root := New(io, to)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exit.OK
	}
	code := exit.Code(err)
	if exit.Quiet(err) {
		return code
	}
	if code == exit.Failed {
		err = to.Explain(err)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	if !strings.HasPrefix(text, cmd.CommandPath()+":") { // some name their command: "odi run: ..."
		text = "odi: " + text
	}
	fmt.Fprintln(io.Err, strings.Join(output.Wrap(text, io.ErrWidth, 0), "\n"))
	return code
}
