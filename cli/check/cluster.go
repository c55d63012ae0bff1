package check

import (
	"context"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/cli/checks/gather"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/cli/streams"
)

// defaultTimeout is what a person waits for.
const defaultTimeout = 10 * time.Second

// ofTheCluster makes all checks of before an installation, or of after.
func ofTheCluster(ctx context.Context, io streams.Streams, to *cluster.Cluster, f flags) error {
	if to.IsNowhere() {
		return clientcmd.ErrEmptyConfig // which is explained as everywhere
	}
	values, err := f.values.Merge(io.In)
	if err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	o := gather.Options{Run: checks.Before, Values: values, Pods: !f.noPods, Ask: !f.noAsk}
	installed := false
	if o.Namespace, installed = namespace(within, to); installed && !f.pre {
		o.Run = checks.After
	}
	facts, err := gather.Facts(within, to, o)
	if err != nil {
		return err
	}
	if ctx.Err() != nil { // interrupted: what is unknown is so because nobody waited
		return ctx.Err()
	}
	report := checks.Judge(facts, o.Run)
	if err := show(io, f.format, report); err != nil {
		return err
	}
	if len(report.Fatal()) > 0 {
		return exit.Status(exit.Problem)
	}
	return nil
}

func show(io streams.Streams, f format, report checks.Report) error {
	switch f {
	case formatTable:
		report.Print(output.Out(io))
		return nil
	case formatJUnit:
		return junit(io.Out, report)
	}
	return output.Value(io.Out, output.Format(f), report)
}
