package install

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/release"
	"github.com/odi-dev/odi/cli/streams"
)

// flags of the command.
type flags struct {
	values  release.Values
	wait    bool
	timeout time.Duration
	dryRun  bool
	// downgrade takes a newer odi back.
	downgrade bool
	// unchecked goes on without looking whether odi can work.
	unchecked bool
}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Install odi in the cluster",
		Long: `Install odi in the cluster, in the namespace ` + odiv1.DefaultNamespace + ` unless --namespace says otherwise.

Nothing is instrumented by this alone: no workload is changed or restarted.
Installing again is safe: it repairs what is missing, applies new values, and continues
an installation or upgrade that was cut off. A newer odi in the cluster is left as it is.

Before anything is changed, the checks of odi check --pre that are fatal are made, as far
as they need no pod on a node. Where one is broken, nothing is installed (exit code 3).`,
		Example: `  odi install
  odi install --set manager.replicas=2 --timeout 10m
  odi install --dry-run | kubectl diff -f -`,
		Args: exit.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), io, to, f) },
	}
	f.values.AddFlags(cmd)
	cmd.Flags().BoolVar(&f.wait, "wait", true, "wait until every component is ready")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "how long to wait")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the manifests instead of applying them")
	release.AddDowngradeFlag(cmd.Flags(), &f.downgrade)
	cmd.Flags().BoolVar(&f.unchecked, "skip-checks", false, "install without looking first whether odi can work")
	return cmd
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags) error {
	values, err := f.values.Merge(io.In)
	if err != nil {
		return err
	}
	namespace := to.NamespaceFlag()
	if namespace == "" {
		namespace = odiv1.DefaultNamespace
	}
	if f.dryRun {
		return dryRun(ctx, io, namespace, values)
	}
	rel, err := f.begin(ctx, io, to, namespace, values)
	if err != nil {
		return err
	}
	if err := rel.Apply(ctx, io, release.Change{Command: "odi install", Values: values, Keep: true}); err != nil {
		return err
	}
	if !f.wait {
		fmt.Fprintf(io.Out, "odi is being installed in %s; watch it with: odi status\n", namespace)
		return nil
	}
	if err := components.Wait(ctx, io, to, namespace, f.timeout); err != nil {
		return err
	}
	fmt.Fprintf(io.Out, "odi is installed in %s. Next: odi destination add, then odi instrument namespace <name>\n", namespace)
	return nil
}

// begin refuses what must not be, and makes the namespace.
func (f flags) begin(
	ctx context.Context, io streams.Streams, to *cluster.Cluster, namespace string, values map[string]any,
) (*release.Release, error) {
	c, err := to.Client()
	if err != nil {
		return nil, err
	}
	if err := elsewhere(ctx, c, namespace); err != nil {
		return nil, err
	}
	rel, err := release.Open(to, namespace)
	if err != nil {
		return nil, err
	}
	if err := rel.RefuseDowngrade(ctx, io, values, f.downgrade); err != nil {
		return nil, err
	}
	if err := f.check(ctx, io, to, namespace, values); err != nil {
		return nil, err
	}
	return rel, ensureNamespace(ctx, c, namespace)
}

func dryRun(ctx context.Context, io streams.Streams, namespace string, values map[string]any) error {
	manifests, err := release.Render(ctx, namespace, values)
	if err != nil {
		return exit.AsUsage(err)
	}
	if err := printNamespace(io.Out, namespace); err != nil {
		return err
	}
	_, err = fmt.Fprint(io.Out, manifests)
	return err
}

// elsewhere refuses a second odi: two odiglets on a node would report everything twice.
func elsewhere(ctx context.Context, c client.Client, namespace string) error {
	installed, err := cluster.OdiNamespace(ctx, c)
	if err != nil || installed == namespace {
		return err
	}
	seen, err := components.Observe(ctx, c, installed)
	if err != nil || seen.Manager == nil {
		return err
	}
	return exit.Usagef("odi is already installed in the namespace %s; use --namespace %s, or odi uninstall first", installed, installed)
}
