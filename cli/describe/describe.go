package describe

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/complete"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/internal/workload"
)

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "describe <kind>/<name>",
		Short: "Explain what happens to a workload, and why there is no trace",
		Long: `Explain what happens to a workload, step by step: selected, detected, decided,
attached, exporting. Then come its processes, and the routes that its spans are named
after, with their requests. The last line answers "why is there no trace?".

Kinds: deployment, statefulset, daemonset, cronjob, job, replicaset, replicationcontroller
and pod where nothing else owns them, <kind>.<group> of another controller's, for
example rollout.argoproj.io; and namespace, destination, node.`,
		Example: `  odi describe deployment/cart -n shop
  odi describe namespace/shop
  odi describe destination/jaeger
  odi describe node/worker-1`,
		Args:              kindAndName,
		ValidArgsFunction: complete.KindSlashName(to),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, name := split(args)
			return run(cmd.Context(), asked{io: io, to: to, format: format, name: name}, kind)
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

// kindAndName takes deployment/cart and deployment cart.
func kindAndName(cmd *cobra.Command, args []string) error {
	if len(args) == 1 && strings.Count(args[0], "/") == 1 || len(args) == 2 && !strings.Contains(args[0]+args[1], "/") {
		return nil
	}
	return exit.Usagef("%s needs <kind>/<name>, for example deployment/cart; see %s --help", cmd.CommandPath(), cmd.CommandPath())
}

func split(args []string) (kind, name string) {
	if len(args) == 2 {
		return args[0], args[1]
	}
	kind, name, _ = strings.Cut(args[0], "/")
	return kind, name
}

func run(ctx context.Context, a asked, kind string) error {
	describe, err := describer(kind)
	if err != nil {
		return err
	}
	if a.client, err = a.to.Client(); err != nil {
		return err
	}
	return describe(ctx, a)
}

func describer(word string) (func(context.Context, asked) error, error) {
	switch strings.ToLower(word) {
	case "namespace", "namespaces", "ns":
		return describeNamespace, nil
	case "destination", "destinations", "dest":
		return describeDestination, nil
	case "node", "nodes":
		return describeNode, nil
	}
	kind, err := workload.ParseKind(word)
	if err != nil {
		return nil, exit.Usagef("unknown kind %q; valid are deployment, statefulset, daemonset, cronjob, job, replicaset, "+
			"replicationcontroller, pod, namespace, destination, node, and <kind>.<group> of another controller's", word)
	}
	return func(ctx context.Context, a asked) error { return describeWorkload(ctx, a, kind) }, nil
}
