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
	// atomic takes the upgrade back when the components do not become ready.
	atomic bool
	// downgrade takes a newer odi back.
	downgrade bool
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
replaced, its node sends nothing for a few seconds. An upgrade that was cut off is
continued. Where the cluster has a newer odi than this program, nothing is changed.

With --atomic, an upgrade whose components are not ready in time is taken back: the
version and the values of before are applied again, and the cause is printed.`,
		Example: `  odi upgrade
  odi upgrade --atomic --timeout 3m
  odi upgrade --set odiglet.logLevel=debug`,
		Args: exit.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), io, to, f) },
	}
	f.values.AddFlags(cmd)
	cmd.Flags().BoolVar(&f.reset, "reset-values", false, "forget the values that were given before")
	cmd.Flags().BoolVar(&f.wait, "wait", true, "wait until every component is ready")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait")
	cmd.Flags().BoolVar(&f.atomic, "atomic", false, "take the upgrade back if it does not become ready in time")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the manifests instead of applying them")
	release.AddDowngradeFlag(cmd.Flags(), &f.downgrade)
	return cmd
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags) error {
	if f.atomic && !f.wait {
		return exit.Usagef("--atomic waits, to see whether the upgrade works: leave --wait=false away")
	}
	values, err := f.values.Merge(io.In)
	if err != nil {
		return err
	}
	namespace, err := installedIn(ctx, to)
	if err != nil {
		return err
	}
	rel, err := release.Open(to, namespace)
	if err != nil {
		return err
	}
	state, err := rel.State()
	if err != nil {
		return err
	}
	if !state.Deployed && !state.Beginning() {
		return notInstalled(ctx, to, namespace)
	}
	return bring(ctx, io, to, target{rel, namespace, state, values}, f)
}

// installedIn is the namespace that the user says, else that of the manager.
func installedIn(ctx context.Context, to *cluster.Cluster) (string, error) {
	if namespace := to.NamespaceFlag(); namespace != "" {
		return namespace, nil
	}
	c, err := to.Client()
	if err != nil {
		return "", err
	}
	return cluster.OdiNamespace(ctx, c)
}

func notInstalled(ctx context.Context, to *cluster.Cluster, namespace string) error {
	elsewhere, err := release.Namespaces(ctx, to)
	if err != nil {
		return err
	}
	if len(elsewhere) > 0 {
		return exit.Usagef("odi is not installed in %s but in %s; to upgrade it: odi upgrade --namespace %s", namespace, elsewhere[0], elsewhere[0])
	}
	return fmt.Errorf("odi is not installed in %s; to install it: odi install", namespace)
}

// target is what is upgraded.
type target struct {
	*release.Release
	namespace string
	before    release.State
	values    map[string]any
}

func bring(ctx context.Context, io streams.Streams, to *cluster.Cluster, t target, f flags) error {
	if err := t.RefuseDowngrade(ctx, io, t.values, f.downgrade); err != nil {
		return err
	}
	if f.dryRun {
		return preview(ctx, io, t, f)
	}
	if err := t.Apply(ctx, io, release.Change{Command: "odi upgrade", Values: t.values, Keep: !f.reset}); err != nil {
		return err
	}
	if f.wait {
		if err := components.Wait(ctx, io, to, t.namespace, f.timeout); err != nil {
			return t.failed(ctx, io, to, f, err)
		}
	}
	fmt.Fprintf(io.Out, "odi in %s: %s -> %s\n", t.namespace, t.before.Version, version.Version)
	return nil
}

// failed says how to go on, or goes back to what was before.
func (t target) failed(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags, cause error) error {
	if ctx.Err() != nil {
		return cause
	}
	if !f.atomic {
		if !t.before.Deployed {
			return cause
		}
		return fmt.Errorf("%w; to go back to %s: helm rollback odi %d -n %s", cause, t.before.Version, t.before.Revision, t.namespace)
	}
	fmt.Fprintf(io.Err, "the upgrade failed: %v\ngoing back to %s\n", cause, t.before.Version)
	if err := t.GoBack(ctx, "odi upgrade --atomic", t.before, cause.Error()); err != nil {
		return fmt.Errorf("the upgrade failed (%w), and going back did as well: %w", cause, err)
	}
	if err := components.Wait(ctx, io, to, t.namespace, f.timeout); err != nil {
		return fmt.Errorf("the upgrade failed (%w); %s is back and not ready: %w", cause, t.before.Version, err)
	}
	return fmt.Errorf("the upgrade failed: %w; odi in %s is as it was before: %s", cause, t.namespace, t.before.Version)
}

// preview prints what an upgrade would apply.
func preview(ctx context.Context, io streams.Streams, t target, f flags) error {
	if t.before.Unfinished != "" {
		return fmt.Errorf("the %s of odi in %s is not finished; odi upgrade continues it, and then the next one can be looked at", t.before.Unfinished, t.namespace)
	}
	manifests, err := t.Preview(ctx, t.values, !f.reset)
	if err != nil {
		return exit.AsUsage(err)
	}
	_, err = fmt.Fprint(io.Out, manifests)
	return err
}
