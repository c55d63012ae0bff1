// Command cluster runs a real Kubernetes on one Linux machine, without Docker,
// in a network namespace of its own. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `usage: cluster <command>

  up                          start the cluster, or what of it does not run
  down                        stop it and remove everything but the caches
  status                      what runs, and where
  kubeconfig                  print the path of the administrator's kubeconfig
  load ARCHIVE...             import image archives into the node
  kubectl ARGS...             run kubectl on the cluster
  exec COMMAND ARGS...        run a command in the cluster's network namespace
  apiserver up --dir DIR      start etcd and an API server alone, for tests; print its kubeconfig
  apiserver down --dir DIR    stop them and remove the folder

environment: ODI_CLUSTER_NAME and ODI_CLUSTER_SLOT choose another cluster than the default one`

// errUsage is a mistake in how the tool was called.
var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:])
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "cluster:", err)
	if errors.Is(err, errUsage) {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	os.Exit(1)
}

// commands holds what each command runs.
var commands = map[string]func(ctx context.Context, args []string) error{
	"up":         runUp,
	"down":       runDown,
	"status":     runStatus,
	"kubeconfig": runKubeconfig,
	"load":       runLoad,
	"kubectl":    runKubectl,
	"exec":       runExec,
	"apiserver":  runAPIServer,
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: no command", errUsage)
	}
	command, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("%w: unknown command %q", errUsage, args[0])
	}
	return command(ctx, args[1:])
}
