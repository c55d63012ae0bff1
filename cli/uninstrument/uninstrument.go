package uninstrument

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/complete"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/cli/streams"
)

// flags of each subcommand.
type flags struct {
	wait    bool
	timeout time.Duration
}

// New returns the command with one subcommand per kind.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "uninstrument",
		Short: "Stop instrumenting",
		Long: `Stop instrumenting a whole namespace or one workload.

The InstrumentationConfig of the namespace or workload is deleted. A workload that
another config still selects, for example its namespace's, is switched off by a
config of its own with method None. eBPF goes at once and restarts nothing. Pods that
have a language agent are evicted, one at a time, until every pod is as its template says.`,
		Example: `  odi uninstrument namespace shop
  odi uninstrument deployment cart -n shop`,
		Args: exit.Subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKind(io, to, ""))
	for _, kind := range selected.Kinds() {
		cmd.AddCommand(newKind(io, to, kind))
	}
	return cmd
}

func newKind(io streams.Streams, to *cluster.Cluster, kind odiv1.WorkloadKind) *cobra.Command {
	var f flags
	word, short, example := "namespace", "Stop instrumenting a namespace", "shop"
	if kind != "" {
		word, short, example = strings.ToLower(string(kind)), "Stop instrumenting one "+string(kind), "cart -n shop"
	}
	cmd := &cobra.Command{
		Use:               word + " <name>",
		Short:             short,
		Example:           "  odi uninstrument " + word + " " + example,
		Args:              exit.Args("name"),
		ValidArgsFunction: complete.Target(to, kind),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), io, to, f, selected.Wish{Kind: kind, Name: args[0]})
		},
	}
	cmd.Flags().BoolVar(&f.wait, "wait", false, "wait until nothing of it is instrumented")
	cmd.Flags().DurationVar(&f.timeout, "timeout", time.Minute, "how long to wait")
	return cmd
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags, wish selected.Wish) error {
	wish, err := wish.Complete(to)
	if err != nil {
		return err
	}
	c, err := to.Client()
	if err != nil {
		return err
	}
	var configs odiv1.InstrumentationConfigList
	if err := c.List(ctx, &configs, client.InNamespace(wish.Namespace)); err != nil {
		return fmt.Errorf("listing the InstrumentationConfigs of %s: %w", wish.Namespace, err)
	}
	labels, err := wish.Labels(ctx, c)
	if err != nil {
		return err
	}
	step, err := plan(wish, labels, configs.Items)
	if err != nil {
		return err
	}
	if err := apply(ctx, io, c, wish, step); err != nil {
		return err
	}
	if !f.wait {
		return nil
	}
	return progress.Wait(ctx, io, f.timeout, func(ctx context.Context) ([]progress.Item, error) {
		workloads, err := wish.Workloads(ctx, c)
		items := []progress.Item{remaining(wish, step.removed(), workloads)}
		if step.note == "" { // Another config may want agents in what it selects.
			items = append(items, carriers(ctx, c, wish)...)
		}
		return items, err
	})
}

func apply(ctx context.Context, io streams.Streams, c client.Client, wish selected.Wish, s step) error {
	for i := range s.remove {
		config := &s.remove[i]
		if err := client.IgnoreNotFound(c.Delete(ctx, config)); err != nil {
			return fmt.Errorf("deleting InstrumentationConfig %s/%s: %w", config.Namespace, config.Name, err)
		}
		fmt.Fprintf(io.Out, "%s: InstrumentationConfig %s/%s deleted\n", wish, config.Namespace, config.Name)
	}
	if s.switchOff != nil {
		if err := writeOff(ctx, c, wish, s); err != nil {
			return err
		}
		fmt.Fprintf(io.Out, "%s: InstrumentationConfig %s/%s has method None\n", wish, s.switchOff.Namespace, s.switchOff.Name)
	}
	if s.note != "" {
		fmt.Fprintf(io.Err, "%s: %s\n", wish, s.note)
	}
	if len(s.remove) > 0 || s.switchOff != nil || s.note != "" {
		return nil
	}
	// Only now: a workload that is gone may still have had its config, which is removed above.
	if err := wish.Check(ctx, c); err != nil {
		return err
	}
	fmt.Fprintf(io.Out, "%s: nothing instruments it\n", wish)
	return nil
}

func writeOff(ctx context.Context, c client.Client, wish selected.Wish, s step) error {
	write := func() error {
		if err := wish.Check(ctx, c); err != nil {
			return err
		}
		return c.Create(ctx, s.switchOff, client.FieldOwner("odi"))
	}
	if s.exists {
		write = func() error { return c.Update(ctx, s.switchOff, client.FieldOwner("odi")) }
	}
	if err := write(); err != nil {
		return fmt.Errorf("switching off by InstrumentationConfig %s/%s: %w", s.switchOff.Namespace, s.switchOff.Name, err)
	}
	return nil
}

// remaining counts what is not off yet. Workloads of a namespace that another
// config keeps instrumented are not waited for.
func remaining(wish selected.Wish, removed []string, workloads []odiv1.InstrumentedWorkload) progress.Item {
	left := 0
	for i := range workloads {
		iw := &workloads[i]
		if wish.Kind == "" && !slices.Contains(removed, iw.Spec.Config) {
			continue
		}
		if isOn(iw) {
			left++
		}
	}
	return progress.Item{Name: wish.String(), Done: left == 0, Text: fmt.Sprintf("%d still instrumented", left)}
}

// isOn says whether a workload is instrumented, or will be.
func isOn(iw *odiv1.InstrumentedWorkload) bool {
	if len(iw.Spec.Containers) == 0 {
		return true
	}
	for _, container := range iw.Spec.Containers {
		if container.Method != odiv1.MethodNone {
			return true
		}
	}
	for _, container := range iw.Status.Containers {
		if container.Attached > 0 {
			return true
		}
	}
	return false
}
