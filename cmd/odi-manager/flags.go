package main

import (
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/instrumentor"
	"github.com/odi-dev/odi/internal/kube"
)

// parse reads the command line. A flag that it does not know, or cannot read, ends the process with a message.
func parse() (cfg kube.Config, opts kube.ManagerOptions, hook instrumentor.Options, level slog.Level) {
	hook.Delivery = instrumentor.InitContainer
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
			prefixes, err := parsePrefixes(value)
			cfg.AllowAddresses = append(cfg.AllowAddresses, prefixes...)
			return err
		})
	flag.StringVar(&opts.MetricsAddress, "metrics-address", ":8080", "where to serve /metrics; 0 for nowhere")
	flag.StringVar(&opts.HealthAddress, "health-address", ":8081", "where to serve /healthz and /readyz; 0 for nowhere")
	flag.BoolVar(&opts.LeaderElect, "leader-elect", false, "let one of several replicas work and the others wait")
	flag.IntVar(&hook.Port, "webhook-port", 0, "where the API server asks about new pods; 0 for nowhere")
	flag.StringVar(&cfg.WebhookName, "webhook-name", "", "MutatingWebhookConfiguration that says which pods it asks about")
	flag.Func("agent-delivery", "how agents' files come into pods: auto, init-container or image-volume", hook.Delivery.Set)
	flag.TextVar(&level, "log-level", slog.LevelInfo, "debug, info, warn or error")
	flag.Parse()
	return cfg, opts, hook, level
}

// parsePrefixes reads ranges of addresses, with commas between them.
func parsePrefixes(value string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for text := range strings.SplitSeq(value, ",") {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("reading a range: %w", err)
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}
