package instrument

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/complete"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/manifests"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/cli/streams"
)

// flags of each subcommand.
type flags struct {
	method  method
	rollout rollout
	agents  agents
	sample  share
	wait    bool
	timeout time.Duration
	export  bool
}

// New returns the command with one subcommand per kind.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "instrument",
		Short: "Choose what to instrument",
		Long: `Choose what to instrument: a whole namespace or one workload.

It writes an InstrumentationConfig. With eBPF the running processes are
instrumented within seconds: nothing is restarted and no pod is changed.

With method Agent, containers whose language has one get a language agent. Pods are
evicted for that, one first, the others when it works; what fails is taken back. The
only pod of a workload is left alone unless --rollout auto is given; with --rollout
manual odi evicts none, and pods get agents when something else makes them anew.`,
		Example: `  odi instrument namespace shop
  odi instrument deployment cart -n shop --method agent --wait
  odi instrument deployment cart -n shop --wait
  odi instrument namespace shop --export > shop.yaml`,
		Args: exit.Subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKind(io, to, ""))
	for _, kind := range selected.Kinds() {
		cmd.AddCommand(newKind(io, to, kind))
	}
	return cmd
}

// newKind returns the subcommand for one kind of workload; no kind is the namespace.
func newKind(io streams.Streams, to *cluster.Cluster, kind odiv1.WorkloadKind) *cobra.Command {
	f := flags{method: method(odiv1.MethodAuto)}
	word, short := "namespace", "Instrument every workload of a namespace"
	if kind != "" {
		word = strings.ToLower(string(kind))
		short = "Instrument one " + string(kind)
	}
	cmd := &cobra.Command{
		Use:               word + " <name>",
		Short:             short,
		Example:           "  odi instrument " + word + " " + exampleName(kind),
		Args:              exit.Args("name"),
		ValidArgsFunction: complete.Target(to, kind),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), io, to, f, selected.Wish{Kind: kind, Name: args[0]})
		},
	}
	cmd.Flags().Var(&f.method, "method", "how to instrument: "+strings.Join(methods, ", ")+"; pods are made anew for Agent alone")
	cmd.Flags().Var(&f.rollout, "rollout", "who makes pods anew for agents: "+strings.Join(modes, ", "))
	cmd.Flags().Var(&f.agents, "agent", "version of the agent for a language, or an image that has one; may be repeated")
	cmd.Flags().Var(&f.sample, "sample", "record such a share of the traces that begin there, from 0 to 1; 1 is all")
	cmd.Flags().BoolVar(&f.wait, "wait", false, "wait until it is instrumented and the gateway knows its destinations")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 2*time.Minute, "how long to wait")
	cmd.Flags().BoolVar(&f.export, "export", false, "print the InstrumentationConfig instead of applying it")
	// The only error is a flag that does not exist, which the lines above rule out.
	_ = cmd.RegisterFlagCompletionFunc("rollout", cobra.FixedCompletions(append([]cobra.Completion(nil), modes...), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions(append([]cobra.Completion(nil), methods...), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func exampleName(kind odiv1.WorkloadKind) string {
	if kind == "" {
		return "shop"
	}
	return "cart -n shop"
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags, wish selected.Wish) error {
	wish, err := wish.Complete(to)
	if err != nil {
		return err
	}
	config := wish.Config(odiv1.Method(f.method))
	config.Spec.Rollout, config.Spec.Agents, config.Spec.Sampling.Ratio = odiv1.RolloutMode(f.rollout), f.agents, string(f.sample)
	if f.export {
		scheme, err := cluster.Scheme()
		if err != nil {
			return err
		}
		return manifests.Documents(io.Out, scheme, config)
	}
	c, err := to.Client()
	if err != nil {
		return err
	}
	if err := wish.Check(ctx, c); err != nil {
		return err
	}
	done, err := write(ctx, c, config)
	if err != nil {
		return err
	}
	fmt.Fprintf(io.Out, "%s: InstrumentationConfig %s/%s %s\n", wish, config.Namespace, config.Name, done)
	if odiv1.Method(f.method) != odiv1.MethodNone {
		hintDestination(ctx, io, c)
	}
	if !f.wait || odiv1.Method(f.method) == odiv1.MethodNone {
		return nil
	}
	return wait(ctx, io, c, wish, f.timeout)
}
