// Command odiglet is odi's node agent. It runs on every node as a DaemonSet.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/odi-dev/odi/bpf/guard"
	"github.com/odi-dev/odi/internal/nodeapi"
	"github.com/odi-dev/odi/internal/version"
	"github.com/odi-dev/odi/odiglet/node"
)

func main() {
	guard.Main()
	work := run
	if len(os.Args) > 1 && os.Args[1] == "facts" {
		work = func() error { return printFacts(os.Args[2:]) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "odiglet:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", ":8090", "address of health and metrics")
	query := flag.String("query-listen", net.JoinHostPort(nodeapi.Host, strconv.Itoa(nodeapi.Port)),
		"address of the query API, which asks nobody who they are")
	level := new(slog.LevelVar)
	flag.TextVar(level, "log-level", level, "debug, info, warn or error")
	flag.Parse()

	handler := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	log := slog.New(handler)
	slog.SetDefault(log)
	ctrl.SetLogger(logr.FromSlogHandler(handler))

	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the API server: %w", err)
	}
	config.UserAgent = "odiglet/" + version.Version
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log.Info("starting", "version", version.Version, "node", os.Getenv("NODE_NAME"))
	return node.Run(ctx, node.Options{
		Node: os.Getenv("NODE_NAME"), Listen: *listen, Query: *query, Config: config, Log: log, Env: os.LookupEnv,
	})
}
