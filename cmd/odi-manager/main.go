// Command odi-manager is odi's one control-plane process: it runs every controller.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/odi-dev/odi/controllers"
	"github.com/odi-dev/odi/instrumentor"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/version"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "odi-manager:", err)
		os.Exit(1)
	}
}

// run is parse, build, run until a signal.
func run() error {
	cfg, opts, hook, level := parse()
	opts.Logger = logr.FromSlogHandler(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	ctrl.SetLogger(opts.Logger)
	klog.SetLogger(opts.Logger.WithName("client"))
	restConfig, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster: %w", err)
	}
	mgr, err := kube.NewManager(restConfig, cfg, opts)
	if err != nil {
		return err
	}
	if err := errors.Join(controllers.Setup(mgr, cfg), instrumentor.Setup(mgr, cfg, hook)); err != nil {
		return err
	}
	opts.Logger.Info("starting", "version", version.Version, "namespace", cfg.Namespace)
	return mgr.Start(ctrl.SetupSignalHandler())
}
