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
	"github.com/odi-dev/odi/cli/kinds"
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
	// crds is what the user said of the kinds; asked says that nothing was said.
	crds, asked bool
}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Remove odi from the cluster",
		Long: `Remove odi from the cluster: its components, what they reported, and the namespace
if odi install made it. No workload is restarted.

The kinds (CustomResourceDefinitions) and what users wrote with them - all
InstrumentationConfigs, Destinations and their credentials - stay, unless
--include-crds is given or the question about them is answered with yes. While
Destinations are in odi's own namespace, that stays as well.`,
		Example: `  odi uninstall
  odi uninstall --yes
  odi uninstall --yes --include-crds`,
		Args: exit.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.asked = !f.yes && !cmd.Flags().Changed("include-crds")
			return run(cmd.Context(), io, to, f)
		},
	}
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&f.crds, "include-crds", false, "remove odi's kinds too, and with them every InstrumentationConfig and Destination of the cluster")
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
	rel, err := release.Open(to, namespace)
	if err != nil {
		return err
	}
	seen, err := look(ctx, c, to, rel, namespace)
	if err != nil {
		return err
	}
	if err := seen.check(f.crds); err != nil {
		return err
	}
	kindsGo, err := ask(ctx, io, &seen, f, to.ContextName())
	if err != nil {
		return err
	}
	p := seen.decide(kindsGo)
	p.timeout = f.timeout
	if !p.nothing() {
		if err := remove(ctx, io, c, rel, p); err != nil {
			return err
		}
	}
	fmt.Fprintln(io.Out, seen.outcome(p))
	return nil
}

// ask asks about the release, and about the kinds where nothing was said of them. It returns whether the kinds go.
func ask(ctx context.Context, io streams.Streams, seen *survey, f flags, kubeContext string) (kindsGo bool, err error) {
	p := seen.decide(f.crds)
	choice := f.asked && seen.canChoose()
	if f.yes || p.nothing() && !choice {
		return f.crds, nil
	}
	if !io.InTerminal {
		return false, exit.Usagef("odi uninstall asks before it removes anything; in a script say: odi uninstall --yes")
	}
	in := bufio.NewReader(io.In)
	if !p.nothing() {
		yes, err := answer(ctx, io, in, seen.question(p, kubeContext))
		if err != nil {
			return false, err
		}
		if !yes {
			return false, errors.New("nothing was removed")
		}
	}
	if choice {
		return answer(ctx, io, in, fmt.Sprintf("There are also %s (context %q).\nRemove these, too?", seen.kindsInWords(), kubeContext))
	}
	return f.crds, nil
}

func answer(ctx context.Context, io streams.Streams, in *bufio.Reader, question string) (bool, error) {
	fmt.Fprintf(io.Err, "%s [y/N] ", question)
	text, err := streams.Await(ctx, func() (string, error) { return in.ReadString('\n') })
	if err != nil {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	word := strings.ToLower(strings.TrimSpace(text))
	return word == "y" || word == "yes", nil
}

// remove goes outside in: first the wishes, then the workers, then the house.
func remove(ctx context.Context, io streams.Streams, c client.Client, rel *release.Release, p plan) error {
	if err := letGo(ctx, io, c, p); err != nil {
		return err
	}
	if err := rel.Uninstall(ctx); err != nil {
		return err
	}
	if err := kinds.Delete(ctx, c, p.kinds); err != nil {
		return err
	}
	if err := deleteHouse(ctx, c, p); err != nil {
		return err
	}
	err := progress.Wait(ctx, io, p.timeout, func(ctx context.Context) ([]progress.Item, error) { return gone(ctx, c, p) })
	if err != nil || !p.reports {
		return err
	}
	return deleteReports(ctx, c)
}

// letGo ends what works on the nodes, without loss.
func letGo(ctx context.Context, io streams.Streams, c client.Client, p plan) error {
	if len(p.kinds) > 0 {
		if err := deleteWishes(ctx, c, p.wishes); err != nil {
			return err
		}
		err := progress.Wait(ctx, io, detachTimeout, func(ctx context.Context) ([]progress.Item, error) { return detached(ctx, c, p.namespace) })
		if err != nil && !errors.Is(err, progress.ErrTimeout) {
			return err
		}
	}
	if err := kinds.Keep(ctx, c, p.kindsStay); err != nil {
		return err
	}
	return endWorkers(ctx, io, c, p.namespace)
}
