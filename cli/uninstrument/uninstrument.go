package uninstrument

import (
	"bufio"
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
	"github.com/odi-dev/odi/cli/target"
)

// flags of the command.
type flags struct {
	all     bool
	dryRun  cluster.DryRun
	wait    bool
	timeout time.Duration
}

// grammar is what can be uninstrumented.
var grammar = target.Grammar{target.Namespace}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "uninstrument <kind>/<name>",
		Short: "Stop instrumenting",
		Long: `Stop instrumenting a whole namespace or one workload.
The InstrumentationConfig of the namespace or workload is deleted. A workload that
another config still selects, for example its namespace's, is switched off by a
config of its own with method None. eBPF goes at once and restarts nothing. Pods that
have a language agent are evicted, one at a time, until every pod is as its template
says.

A config that odi instrument did not make - somebody applied it - is named and left
alone, unless a person says yes or --include-handwritten is given.

Kinds and short names are those of odi instrument.`,
		Example: `  odi uninstrument namespace/shop
  odi uninstrument deployment/cart -n shop --wait
  odi uninstrument deploy cart -n shop --dry-run`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && cmd.Flags().NFlag() == 0 {
				return nil
			}
			return grammar.Args(cmd, args)
		},
		ValidArgsFunction: complete.Target(to, grammar),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			what, err := grammar.Parse(cmd, args)
			if err != nil {
				return err
			}
			return run(cmd.Context(), io, to, f, selected.Wish{Kind: what.Workload, Name: what.Name})
		},
	}
	cmd.Flags().BoolVar(&f.all, "include-handwritten", false, "delete also configs that odi instrument did not make")
	f.dryRun.AddFlag(cmd)
	cmd.Flags().BoolVar(&f.wait, "wait", false, "wait until nothing of it is instrumented")
	cmd.Flags().DurationVar(&f.timeout, "timeout", time.Minute, "how long to wait")
	return cmd
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags, wish selected.Wish) error {
	if bool(f.dryRun) && f.wait {
		return exit.Usagef("--dry-run writes nothing that --wait could wait for")
	}
	wish, err := wish.Complete(to)
	if err != nil {
		return err
	}
	c, err := to.Client()
	if err != nil {
		return err
	}
	c = f.dryRun.Over(c)
	step, err := choose(ctx, io, c, wish, f.all)
	if err != nil {
		return err
	}
	step.suffix = f.dryRun.Suffix()
	if err := apply(ctx, io, c, wish, step); err != nil {
		return err
	}
	if !f.wait {
		return nil
	}
	return progress.Wait(ctx, io, f.timeout, func(ctx context.Context) ([]progress.Item, error) {
		workloads, err := wish.Workloads(ctx, c)
		items := []progress.Item{remaining(wish, step.removed(), workloads)}
		if step.note == "" && len(step.byHand) == 0 { // Another config may want agents in what it selects.
			items = append(items, carriers(ctx, c, wish)...)
		}
		return items, err
	})
}

// choose reads the configs and decides; what odi did not make is asked for.
func choose(ctx context.Context, io streams.Streams, c client.Client, wish selected.Wish, all bool) (step, error) {
	var configs odiv1.InstrumentationConfigList
	if err := c.List(ctx, &configs, client.InNamespace(wish.Namespace)); err != nil {
		return step{}, fmt.Errorf("listing the InstrumentationConfigs of %s: %w", wish.Namespace, err)
	}
	found, err := wish.Canonical(ctx, c)
	if err != nil {
		return step{}, err
	}
	if found.Kind != "" {
		wish = found
	}
	labels, err := wish.Labels(ctx, c)
	if err != nil {
		return step{}, err
	}
	s, err := plan(wish, labels, configs.Items, all)
	if err != nil || len(s.byHand) == 0 {
		return s, err
	}
	yes, err := ask(ctx, io, wish, s)
	if err != nil {
		return step{}, err
	}
	if yes {
		return plan(wish, labels, configs.Items, true)
	}
	return s, nil
}

// ask has a person decide about what odi did not make. A script that would change nothing is told how to go on.
func ask(ctx context.Context, io streams.Streams, wish selected.Wish, s step) (bool, error) {
	theirs := make([]string, 0, len(s.byHand))
	for _, config := range s.byHand {
		theirs = append(theirs, fmt.Sprintf("InstrumentationConfig %s/%s, which %s wrote and not odi instrument", config.Namespace, config.Name, madeBy(config)))
	}
	what := strings.Join(theirs, ", and ")
	if !io.InTerminal {
		if len(s.remove) == 0 && s.switchOff == nil {
			return false, exit.Usagef("the %s is instrumented by %s; to delete that: odi uninstrument %s --include-handwritten", wish, what, wish.DescribeArgs())
		}
		return false, nil
	}
	fmt.Fprintf(io.Err, "The %s is instrumented by %s. Delete that as well? [y/N] ", wish, what)
	answer, err := streams.Await(ctx, func() (string, error) { return bufio.NewReader(io.In).ReadString('\n') })
	if err != nil && answer == "" {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

func apply(ctx context.Context, io streams.Streams, c client.Client, wish selected.Wish, s step) error {
	for i := range s.remove {
		config := &s.remove[i]
		if err := client.IgnoreNotFound(c.Delete(ctx, config)); err != nil {
			return fmt.Errorf("deleting InstrumentationConfig %s/%s: %w", config.Namespace, config.Name, err)
		}
		fmt.Fprintf(io.Out, "%s: InstrumentationConfig %s/%s deleted%s\n", wish, config.Namespace, config.Name, s.suffix)
	}
	if s.switchOff != nil {
		if err := writeOff(ctx, c, wish, s); err != nil {
			return err
		}
		fmt.Fprintf(io.Out, "%s: InstrumentationConfig %s/%s has method None%s\n", wish, s.switchOff.Namespace, s.switchOff.Name, s.suffix)
	}
	for _, config := range s.byHand {
		fmt.Fprintf(io.Err, "%s: InstrumentationConfig %s/%s still instruments it; %s wrote that, not odi instrument; to delete it: odi uninstrument %s --include-handwritten\n",
			wish, config.Namespace, config.Name, madeBy(config), wish.DescribeArgs())
	}
	if s.note != "" {
		fmt.Fprintf(io.Err, "%s: %s\n", wish, s.note)
	}
	if !s.empty() {
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
