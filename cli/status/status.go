package status

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/live"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/nodeapi"
)

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how odi gets on, and each problem with what to do",
		Long: `Show how odi gets on: its components, what each node can do, workloads by phase,
destinations, and the books (accepted = sent + queued + dropped, at every hop).
Each problem is one line that ends in what to do.`,
		Example: "  odi status\n  odi status -o json",
		Args:    exit.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), io, to, format) },
	}
	output.AddFlag(cmd, &format)
	return cmd
}

// Seen is everything that the report is made of.
type Seen struct {
	Components   components.Observed
	Configs      []odiv1.InstrumentationConfig
	Workloads    []odiv1.InstrumentedWorkload
	Destinations []odiv1.Destination
	// Live is what the odiglets that answer say of themselves, by node.
	Live map[string]nodeapi.Node
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, format output.Format) error {
	seen, err := gather(ctx, to)
	if err != nil {
		return err
	}
	report := Judge(seen)
	if !format.ForPeople() {
		return output.Value(io.Out, format, report)
	}
	return report.print(io.Out, format)
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
	if seen.Components, err = components.Observe(ctx, c, namespace); err != nil {
		return Seen{}, err
	}
	var workloads odiv1.InstrumentedWorkloadList
	if err := c.List(ctx, &workloads); err != nil {
		return Seen{}, fmt.Errorf("listing InstrumentedWorkloads: %w", err)
	}
	var configs odiv1.InstrumentationConfigList
	if err := c.List(ctx, &configs); err != nil {
		return Seen{}, fmt.Errorf("listing InstrumentationConfigs: %w", err)
	}
	seen.Configs = configs.Items
	var destinations odiv1.DestinationList
	if err := c.List(ctx, &destinations); err != nil {
		return Seen{}, fmt.Errorf("listing destinations: %w", err)
	}
	seen.Workloads, seen.Destinations = workloads.Items, destinations.Items
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
