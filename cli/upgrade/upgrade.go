package upgrade

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/release"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/version"
)

// flags of the command.
type flags struct {
	values  release.Values
	reset   bool
	wait    bool
	timeout time.Duration
	dryRun  bool
}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Bring odi in the cluster to the version of this program",
		Long: `Bring odi in the cluster to the version of this program.

Values that were given at installation stay in force unless --reset-values is given.
Instrumented workloads are neither changed nor restarted; while an odiglet is
replaced, its node sends nothing for a few seconds.`,
		Example: `  odi upgrade
  odi upgrade --set odiglet.logLevel=debug`,
		Args: exit.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), io, to, f) },
	}
	f.values.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&f.reset, "reset-values", false, "forget the values that were given before")
	cmd.Flags().BoolVar(&f.wait, "wait", true, "wait until every component is ready")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the manifests instead of applying them")
	return cmd
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags) error {
	values, err := f.values.Merge(io.In)
	if err != nil {
		return err
	}
	c, err := to.Client()
	if err != nil {
		return err
	}
	namespace, err := cluster.OdiNamespace(ctx, c)
	if err != nil {
		return err
	}
	rel, err := release.Open(to.Getter(), namespace)
	if err != nil {
		return err
	}
	state, err := rel.State()
	if err != nil {
		return err
	}
	if !state.Deployed {
		return fmt.Errorf("odi is not installed in %s; to install it: odi install", namespace)
	}
	if f.dryRun {
		return preview(ctx, io, rel, values, f)
	}
	if err := rel.Upgrade(ctx, values, !f.reset); err != nil {
		return err
	}
	if f.wait {
		if err := components.Wait(ctx, io, to, namespace, f.timeout); err != nil {
			return err
		}
	}
	fmt.Fprintf(io.Out, "odi in %s: %s -> %s\n", namespace, state.Version, version.Version)
	return nil
}

// preview prints what an upgrade would apply.
func preview(ctx context.Context, io streams.Streams, rel *release.Release, values map[string]any, f flags) error {
	manifests, err := rel.Preview(ctx, values, !f.reset)
	if err != nil {
		return exit.AsUsage(err)
	}
	_, err = fmt.Fprint(io.Out, manifests)
	return err
}
