package describe

import (
	"context"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/complete"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/cli/target"
)

// grammar is what can be described.
var grammar = target.Grammar{target.Namespace, target.Destination, target.Node}

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "describe <kind>/<name>",
		Short: "Explain what happens to a workload, and why there is no trace",
		Long: `Explain what happens to a workload, step by step: selected, detected, decided,
attached, exporting. Then come its processes, and the routes that its spans are named
after, with their requests. The last line answers "why is there no trace?".

Exit codes: 0 when nothing is broken, 3 when something is, 2 for what is mistyped, 1
when it could not be found out.

Kinds: deployment, statefulset, daemonset, cronjob, job, replicaset, replicationcontroller
and pod where nothing else owns them, <kind>.<group> of another controller's, for
example rollout.argoproj.io; and namespace, destination, node.`,
		Example: `  odi describe deployment/cart -n shop
  odi describe namespace/shop
  odi describe destination/jaeger
  odi describe node/worker-1`,
		Args:              grammar.Args,
		ValidArgsFunction: complete.Target(to, grammar),
		RunE: func(cmd *cobra.Command, args []string) error {
			what, err := grammar.Parse(cmd, args)
			if err != nil {
				return err
			}
			return run(cmd.Context(), asked{io: io, to: to, format: format, name: what.Name}, what)
		},
	}
	output.AddFlag(cmd, &format)
	return cmd
}

// asked is the question.
type asked struct {
	io     streams.Streams
	to     *cluster.Cluster
	client client.Client
	format output.Format
	name   string
}

// verdict is how a command ends that has looked and found something broken, or not.
func verdict(broken bool) error {
	if broken {
		return exit.Status(exit.Problem)
	}
	return nil
}

func run(ctx context.Context, a asked, what target.Target) (err error) {
	if a.client, err = a.to.Client(); err != nil {
		return err
	}
	switch what.Kind {
	case target.Namespace:
		return describeNamespace(ctx, a)
	case target.Destination:
		return describeDestination(ctx, a)
	case target.Node:
		return describeNode(ctx, a)
	}
	return describeWorkload(ctx, a, what.Workload)
}
