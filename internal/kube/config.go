package kube

import (
	"net/netip"
	"slices"

	"github.com/odi-dev/odi/internal/workload"
)

// Config is what the controllers know of the installation that they belong to.
// The manager fills it from its flags and never changes it.
type Config struct {
	// Namespace that odi is installed in.
	Namespace string
	// ManagerName is the manager's own Deployment, the owner of all that
	// controllers make for odi itself, so that it goes when odi is uninstalled.
	ManagerName string
	// AllowAddresses are ranges to which Destinations may send although odi sends
	// nothing there by default, for example 127.0.0.0/8 for a backend beside the gateway.
	AllowAddresses []netip.Prefix
	// WebhookName is the MutatingWebhookConfiguration that the API server is told with which pods to ask about;
	// empty without a webhook.
	WebhookName string
	// ExcludedNamespaces are never instrumented, besides those of Kubernetes and odi's own.
	ExcludedNamespaces []string
}

// Excludes says whether nothing in a namespace may be instrumented.
func (c Config) Excludes(namespace string) bool {
	return workload.IsSystemNamespace(namespace) || namespace == c.Namespace ||
		slices.Contains(c.ExcludedNamespaces, namespace)
}
