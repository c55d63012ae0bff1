package instrument

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/complete"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/manifests"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/cli/target"
	"github.com/odi-dev/odi/internal/samplerule"
)

// flags of the command.
type flags struct {
	method  method
	rollout rollout
	agents  agents
	sample  share
	rules   samplerule.List
	writes  propagation
	wait    bool
	timeout time.Duration
	export  bool
	dryRun  cluster.DryRun
	format  manifests.Format
}

// grammar is what can be instrumented.
var grammar = target.Grammar{target.Namespace}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	f := flags{method: method(odiv1.MethodAuto)}
	cmd := &cobra.Command{
		Use:   "instrument <kind>/<name>",
		Short: "Choose what to instrument",
		Long: `Choose what to instrument: a whole namespace or one workload.
It writes an InstrumentationConfig. With eBPF the running processes are
instrumented within seconds: nothing is restarted and no pod is changed.

With method Agent, containers whose language has one get a language agent. Pods are
evicted for that, one first, the others when it works; what fails is taken back.
The only pod of a workload is left alone unless --rollout auto is given; with
--rollout manual odi evicts none, and pods get agents when something else makes
them anew.

Kinds: namespace, deployment, statefulset, daemonset, cronjob, job; replicaset,
replicationcontroller and pod where nothing else owns them; and <kind>.<group> of
another controller's, for example rollout.argoproj.io. Short names work as in
kubectl, and "deployment cart" is deployment/cart.`,
		Example: `  odi instrument namespace/shop
  odi instrument deployment/cart -n shop --wait
  odi instrument deploy cart -n shop --method agent --wait
  odi instrument ns shop --sample 0.1 --sample-rule /healthz=0
  odi instrument ns shop --dry-run
  odi instrument ns shop --export > shop.yaml`,
		Args:              orHelp(grammar.Args),
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
	f.add(cmd)
	return cmd
}

// orHelp lets the bare command print its help.
func orHelp(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && cmd.Flags().NFlag() == 0 {
			return nil
		}
		return check(cmd, args)
	}
}

func (f *flags) add(cmd *cobra.Command) {
	cmd.Flags().Var(&f.method, "method", "how to instrument: "+strings.Join(methods, ", ")+"; pods are made anew for Agent alone")
	cmd.Flags().Var(&f.rollout, "rollout", "who makes pods anew for agents: "+strings.Join(modes, ", "))
	cmd.Flags().Var(&f.agents, "agent", "version of the agent for a language, or an image that has one; may be repeated")
	cmd.Flags().Var(&f.sample, "sample", "record such a share of the traces that begin there, from 0 to 1; 1 is all")
	cmd.Flags().Var(&f.rules, "sample-rule", "record such a share of the traces that HTTP/1 requests of a path begin, for example /healthz=0, or 'POST /orders/*=1'; may be repeated, the first that fits counts, and they replace the rules that are there")
	cmd.Flags().Var(&f.writes, "propagation", "whether eBPF writes traceparent into what is sent: "+strings.Join(propagations, ", "))
	cmd.Flags().BoolVar(&f.wait, "wait", false, "wait until it is instrumented and the gateway knows its destinations")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 2*time.Minute, "how long to wait")
	cmd.Flags().BoolVar(&f.export, "export", false, "print the InstrumentationConfig instead of applying it")
	f.dryRun.AddFlag(cmd)
	manifests.AddFlag(cmd, &f.format)
	languages := withAgents()
	for i := range languages {
		languages[i] += "="
	}
	for name, words := range map[string][]string{"rollout": modes, "method": methods, "agent": languages, "propagation": propagations} {
		// The only error is a flag that does not exist, which the lines above rule out.
		_ = cmd.RegisterFlagCompletionFunc(name, complete.Word(words))
	}
}

// check finds flags that contradict each other.
func (f *flags) check() error {
	switch {
	case bool(f.dryRun) && f.wait:
		return exit.Usagef("--dry-run writes nothing that --wait could wait for")
	case bool(f.dryRun) && f.export:
		return exit.Usagef("--export asks no cluster, so that --dry-run means nothing with it")
	}
	return nil
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags, wish selected.Wish) error {
	if err := f.check(); err != nil {
		return err
	}
	wish, err := wish.Complete(to)
	if err != nil {
		return err
	}
	if f.export {
		return f.print(io, wish)
	}
	c, err := to.Client()
	if err != nil {
		return err
	}
	c = f.dryRun.Over(c)
	if err := wish.Check(ctx, c); err != nil {
		return err
	}
	if wish, err = wish.Canonical(ctx, c); err != nil {
		return err
	}
	if err := f.write(ctx, io, c, wish); err != nil || odiv1.Method(f.method) == odiv1.MethodNone {
		return err
	}
	if f.wait {
		err = wait(ctx, io, c, wish, f.timeout)
	}
	hint(ctx, io, c, wish)
	return err
}

// config is the wish as it was typed.
func (f *flags) config(wish selected.Wish) *odiv1.InstrumentationConfig {
	config := wish.Config(odiv1.Method(f.method))
	config.Spec.Rollout, config.Spec.Agents, config.Spec.Sampling.Ratio = odiv1.RolloutMode(f.rollout), f.agents, string(f.sample)
	config.Spec.Sampling.Rules = f.rules
	config.Spec.Propagation = odiv1.Propagation(f.writes)
	return config
}

// print is --export.
func (f *flags) print(io streams.Streams, wish selected.Wish) error {
	if kind := string(wish.Kind); kind != "" && strings.ToUpper(kind[:1]) != kind[:1] {
		return exit.Usagef("without a cluster, the kind of another controller is needed as its API writes it, for example Rollout.argoproj.io and not %s", kind)
	}
	scheme, err := cluster.Scheme()
	if err != nil {
		return err
	}
	return f.format.Export(io.Out, scheme, f.config(wish))
}

// write applies the wish and says so.
func (f *flags) write(ctx context.Context, io streams.Streams, c client.Client, wish selected.Wish) error {
	written, done, err := write(ctx, c, f.config(wish))
	if err != nil {
		return err
	}
	if f.format != "" {
		return f.format.Print(io.Out, c.Scheme(), written)
	}
	_, err = fmt.Fprintf(io.Out, "%s: InstrumentationConfig %s/%s %s%s\n", wish, written.Namespace, written.Name, done, f.dryRun.Suffix())
	return err
}
