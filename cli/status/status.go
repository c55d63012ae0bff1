package status

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/live"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/nodeapi"
)

// flags of the command.
type flags struct {
	format  output.Format
	wait    bool
	timeout time.Duration
}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how odi gets on, and each problem with what to do",
		Long: `Show how odi gets on: its components, what each node can do, workloads by phase,
destinations, and the books (accepted = sent + queued + dropped, at every hop).
Each problem is one line that ends in what to do. Notes are what is good to know
and will not change by itself: what was lost before, what a kernel cannot do.

With --namespace, workloads, configs and destinations are those of that namespace.
With --wait, it waits until there is no problem and no workload is on its way.

Exit codes: 0 without a problem, 3 with one, 2 for what is mistyped, 1 when it could
not be found out.`,
		Example: "  odi status\n  odi status -n shop\n  odi status --wait --timeout 5m\n  odi status -o json",
		Args:    nothing,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), io, to, f) },
	}
	output.AddFlag(cmd, &f.format)
	cmd.Flags().BoolVar(&f.wait, "wait", false, "wait until there is no problem and no workload is on its way")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 2*time.Minute, "how long to wait")
	return cmd
}

// Seen is everything that the report is made of.
type Seen struct {
	// Only is the one namespace that was asked for; empty for all.
	Only         string
	Components   components.Observed
	Configs      []odiv1.InstrumentationConfig
	Workloads    []odiv1.InstrumentedWorkload
	Destinations []odiv1.Destination
	// Live is what the odiglets that answer say of themselves, by node.
	Live map[string]nodeapi.Node
}

// nothing refuses arguments: what is about one thing is described.
func nothing(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return exit.Usagef("%s takes no argument, but got %q; of one workload, namespace, destination or node: odi describe <kind>/<name>", cmd.CommandPath(), args[0])
	}
	return nil
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags) error {
	report, waited, err := look(ctx, io, to, f)
	if err != nil {
		return err
	}
	if f.format.ForPeople() {
		err = report.print(output.Out(io), f.format)
	} else {
		err = output.Value(io.Out, f.format, report)
	}
	switch {
	case err != nil:
		return err
	case waited != nil:
		fmt.Fprintf(io.Err, "odi status: %v\n", waited)
		return exit.Status(exit.Problem)
	case len(report.Problems) > 0:
		return exit.Status(exit.Problem)
	}
	return nil
}

// look makes the report, after waiting where that was asked for. waited says what the time was too short for.
func look(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags) (report Report, waited, err error) {
	once := func(ctx context.Context) ([]progress.Item, error) {
		seen, err := gather(ctx, to)
		if err != nil {
			return nil, err
		}
		report = Judge(seen)
		return items(report), nil
	}
	if !f.wait {
		_, err = once(ctx)
		return report, nil, err
	}
	err = progress.Wait(ctx, io, f.timeout, once)
	if errors.Is(err, progress.ErrTimeout) {
		return report, err, nil
	}
	return report, nil, err
}

// items are what is waited for: each component, the workloads, and that nothing else is wrong.
func items(r Report) []progress.Item {
	var list []progress.Item
	broken := 0
	for _, c := range r.Components {
		list = append(list, progress.Item{Name: c.Name, Done: c.Ready, Text: c.Text})
		if !c.Ready {
			broken++
		}
	}
	w := r.Workloads
	list = append(list, progress.Item{Name: "workloads", Done: w.Waiting == 0 && w.Broken == 0,
		Text: fmt.Sprintf("%d instrumented, %d waiting, %d off, %d broken", w.Instrumented, w.Waiting, w.Off, w.Broken)})
	if others := r.Problems[broken:]; len(others) > 0 {
		list = append(list, progress.Item{Name: "problem", Text: others[0]})
	}
	return list
}

func gather(ctx context.Context, to *cluster.Cluster) (Seen, error) {
	c, err := to.Client()
	if err != nil {
		return Seen{}, err
	}
	namespace, err := cluster.OdiNamespace(ctx, c)
	if err != nil {
		return Seen{}, err
	}
	var seen Seen
	if seen.Only, err = only(ctx, to, c, namespace); err != nil {
		return Seen{}, err
	}
	if seen.Components, err = components.Observe(ctx, c, namespace); err != nil {
		return Seen{}, err
	}
	var workloads odiv1.InstrumentedWorkloadList
	if err := c.List(ctx, &workloads, client.InNamespace(seen.Only)); err != nil {
		return Seen{}, fmt.Errorf("listing InstrumentedWorkloads: %w", err)
	}
	var configs odiv1.InstrumentationConfigList
	if err := c.List(ctx, &configs, client.InNamespace(seen.Only)); err != nil {
		return Seen{}, fmt.Errorf("listing InstrumentationConfigs: %w", err)
	}
	seen.Workloads, seen.Configs = workloads.Items, configs.Items
	if seen.Destinations, err = destinationsOf(ctx, c, seen.Only, namespace); err != nil {
		return Seen{}, err
	}
	if seen.Components.Manager == nil && seen.Components.Odiglet == nil {
		return Seen{}, errors.New("odi is not installed in this cluster, only its kinds are; to install it: odi install")
	}
	odiglets, err := live.Of(to, seen.Components.Pods)
	if err != nil {
		return Seen{}, err
	}
	seen.Live = odiglets.Nodes(ctx)
	return seen, nil
}

// only is the namespace of --namespace; empty without one. Odi's own stands for all: who
// names it says where odi is, as for the other commands.
func only(ctx context.Context, to *cluster.Cluster, c client.Client, odi string) (string, error) {
	asked := to.NamespaceFlag()
	if asked == "" || asked == odi {
		return "", nil
	}
	wish := selected.Wish{Namespace: asked, Name: asked}
	return asked, wish.Exists(ctx, c)
}

// destinationsOf lists those that may take the data of a namespace, or all.
func destinationsOf(ctx context.Context, c client.Client, only, odi string) ([]odiv1.Destination, error) {
	var list odiv1.DestinationList
	if err := c.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing destinations: %w", err)
	}
	if only == "" {
		return list.Items, nil
	}
	return slices.DeleteFunc(list.Items, func(d odiv1.Destination) bool { return d.Namespace != only && d.Namespace != odi }), nil
}
