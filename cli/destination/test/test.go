package test

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/complete"
	"github.com/odi-dev/odi/cli/destination/find"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/cli/trial"
)

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	var format output.Format
	cmd := &cobra.Command{
		Use:   "test <name>",
		Short: "Send a destination marked data, and tell what its backend answers",
		Long: `Send one span, one metric and one log record to a destination, and tell for each
what its backend answers: how far the data came (DNS, TCP, TLS, HTTP or gRPC), the
backend's words, and what to look at first.

They are sent from the gateway's pod, through the exporter, credentials, addresses
and network that all data takes, once and without the queue; the answer is there
within 10 seconds, mostly at once. Their service is odi-destination-test. Secrets
are taken out of what is shown.

It needs the right to start a program in the gateway's pod (create pods/exec in
odi's namespace). Who may also write the status of Destinations leaves the answer
there, as the condition Tested.

It ends with 0 when all was accepted, and with 3 when something was not.`,
		Example: `  odi destination test jaeger
  odi destination test shop-backend -n shop
  odi destination test jaeger -o json`,
		Args:              exit.Args("name"),
		ValidArgsFunction: complete.Destinations(to),
		RunE:              func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), io, to, args[0], format) },
	}
	output.AddFlag(cmd, &format)
	return cmd
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, name string, format output.Format) error {
	c, err := to.Client()
	if err != nil {
		return err
	}
	d, err := find.Destination(ctx, to, c, name)
	if err != nil {
		return err
	}
	result, err := trial.Destination(ctx, to, c, d)
	if err != nil {
		return err
	}
	if format.ForPeople() {
		trial.Print(output.Out(io), result)
	} else if err := output.Value(io.Out, format, result); err != nil {
		return err
	}
	if err := result.Record(ctx, c, d); err != nil {
		return err
	}
	if !result.Accepted() {
		return exit.Status(exit.Problem)
	}
	return nil
}
