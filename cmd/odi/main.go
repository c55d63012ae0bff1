// Command odi is what people type: it installs odi in a cluster, says what to
// instrument and where the data goes, and explains what happens.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/cli"
	"github.com/odi-dev/odi/cli/run"
	"github.com/odi-dev/odi/cli/streams"
)

func main() {
	guard.Main()
	run.Canary()
	log.SetLogger(logr.Discard()) // otherwise the library for clients prints a stack after 30 s
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, streams.Standard(), os.Args[1:])
	stop()
	os.Exit(code)
}
