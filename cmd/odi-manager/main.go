// Command odi-manager is odi's one control-plane process: it runs every controller.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
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
	cfg, opts, hook := kube.Config{}, kube.ManagerOptions{}, instrumentor.Options{Delivery: instrumentor.InitContainer}
	var level slog.Level
	flag.StringVar(&cfg.Namespace, "namespace", odiv1.DefaultNamespace, "namespace that odi is installed in")
	flag.StringVar(&cfg.ManagerName, "manager-name", "odi-manager", "name of the manager's own Deployment")
	flag.StringVar(&cfg.AgentRepository, "agent-repository", kube.DefaultAgentRepository, "where the images of language agents are")
	flag.StringVar(&cfg.AgentPullSecret, "agent-pull-secret", "", "name of the Secret without which those images cannot be pulled")
	flag.Func("exclude-namespace", "namespaces never to instrument, with commas or by repeating the flag", func(value string) error {
		cfg.ExcludedNamespaces = append(cfg.ExcludedNamespaces, strings.Split(value, ",")...)
		return nil
	})
	flag.Func("allow-address", "ranges to which Destinations may send although odi sends nothing there by default, with commas or by repeating the flag",
		func(value string) error {
			for text := range strings.SplitSeq(value, ",") {
				prefix, err := netip.ParsePrefix(text)
				if err != nil {
					return fmt.Errorf("reading a range: %w", err)
				}
				cfg.AllowAddresses = append(cfg.AllowAddresses, prefix)
			}
			return nil
		})
	flag.StringVar(&opts.MetricsAddress, "metrics-address", ":8080", "where to serve /metrics; 0 for nowhere")
	flag.StringVar(&opts.HealthAddress, "health-address", ":8081", "where to serve /healthz and /readyz; 0 for nowhere")
	flag.BoolVar(&opts.LeaderElect, "leader-elect", false, "let one of several replicas work and the others wait")
	flag.IntVar(&hook.Port, "webhook-port", 0, "where the API server asks about new pods; 0 for nowhere")
	flag.StringVar(&cfg.WebhookName, "webhook-name", "", "MutatingWebhookConfiguration that says which pods it asks about")
	flag.Func("agent-delivery", "how agents' files come into pods: auto, init-container or image-volume", hook.Delivery.Set)
	flag.TextVar(&level, "log-level", slog.LevelInfo, "debug, info, warn or error")
	flag.Parse()
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
