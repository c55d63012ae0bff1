package uninstall

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/release"
	"github.com/odi-dev/odi/cli/streams"
)

// detachTimeout bounds the wait for the odiglets to let go by themselves. After it
// they are stopped, which detaches everything, too: the kernel closes a dead process's probes.
const detachTimeout = 20 * time.Second

// flags of the command.
type flags struct {
	yes     bool
	timeout time.Duration
}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Remove odi from the cluster",
		Long: `Remove odi from the cluster: its components, its kinds with all their objects
(InstrumentationConfigs and Destinations included), the credentials that
odi destination add stored, and the namespace if odi install made it.

No workload is restarted. Where the chart was installed with crds.keep=true, the
kinds and the objects that users wrote stay.`,
		Example: `  odi uninstall
  odi uninstall --yes`,
		Args: exit.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), io, to, f) },
	}
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 3*time.Minute, "how long to wait until everything is gone")
	return cmd
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags) error {
	c, err := to.Client()
	if err != nil {
		return err
	}
	namespace := to.NamespaceFlag()
	if namespace == "" {
		if namespace, err = cluster.OdiNamespace(ctx, c); err != nil {
			return err
		}
	}
	rel, err := release.Open(to.Getter(), namespace)
	if err != nil {
		return err
	}
	state, err := rel.State()
	if err != nil {
		return err
	}
	if !state.Exists {
		fmt.Fprintf(io.Out, "odi is not installed in %s; removing what may be left\n", namespace)
	} else if !f.yes {
		if err := confirm(ctx, io, namespace, to.ContextName()); err != nil {
			return err
		}
	}
	if err := remove(ctx, io, c, rel, target{namespace: namespace, timeout: f.timeout}); err != nil {
		return err
	}
	fmt.Fprintln(io.Out, "odi is uninstalled; nothing is left in the cluster")
	return nil
}

func confirm(ctx context.Context, io streams.Streams, namespace, kubeContext string) error {
	if !io.InTerminal {
		return exit.Usagef("odi uninstall asks before it removes everything; in a script say: odi uninstall --yes")
	}
	fmt.Fprintf(io.Err, "Remove odi from %s (context %q) with all its configuration? [y/N] ", namespace, kubeContext)
	answer, err := streams.Await(ctx, func() (string, error) { return bufio.NewReader(io.In).ReadString('\n') })
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if word := strings.ToLower(strings.TrimSpace(answer)); word != "y" && word != "yes" {
		return errors.New("nothing was removed")
	}
	return nil
}

// target is where odi is removed from.
type target struct {
	namespace string
	timeout   time.Duration
}

// remove goes outside in: first the wishes, then the workers, then the house.
func remove(ctx context.Context, io streams.Streams, c client.Client, rel *release.Release, t target) error {
	kindsKept, err := kindsAreKept(ctx, c)
	if err != nil {
		return err
	}
	if !kindsKept {
		if err := deleteWishes(ctx, c); err != nil {
			return err
		}
		err := progress.Wait(ctx, io, detachTimeout, func(ctx context.Context) ([]progress.Item, error) { return detached(ctx, c, t.namespace) })
		if err != nil && !errors.Is(err, progress.ErrTimeout) {
			return err
		}
	}
	if err := rel.Uninstall(); err != nil {
		return err
	}
	namespaceKept, err := deleteHouse(ctx, c, t.namespace)
	if err != nil {
		return err
	}
	return progress.Wait(ctx, io, t.timeout, func(ctx context.Context) ([]progress.Item, error) {
		return gone(ctx, c, leftovers{namespace: t.namespace, kindsKept: kindsKept, namespaceKept: namespaceKept})
	})
}
