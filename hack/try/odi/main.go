// Command odi is `odi run` without the other commands. Those bring Helm and the
// Kubernetes client along, which take minutes to compile the first time.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/run"
	"github.com/odi-dev/odi/cli/streams"
)

func main() {
	guard.Main()
	run.Canary()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	odi := &cobra.Command{Use: "odi", SilenceErrors: true, SilenceUsage: true}
	odi.AddCommand(run.New(streams.Standard()))
	err := odi.ExecuteContext(ctx)
	stop()
	if err != nil && !exit.Quiet(err) {
		fmt.Fprintln(os.Stderr, "odi:", err)
	}
	os.Exit(exit.Code(err))
}
