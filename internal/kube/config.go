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
	// AgentRepository is where the images of odi's language agents are; empty for DefaultAgentRepository.
	AgentRepository string
	// AgentPullSecret is the name of the Secret without which those images cannot be pulled; empty when anybody can.
	AgentPullSecret string
}

// DefaultAgentRepository has the images of the agents that odi releases.
const DefaultAgentRepository = "ghcr.io/odi-dev"

// AgentImage is the image of a version of odi's agent for a language.
func (c Config) AgentImage(language, version string) string {
	repository := c.AgentRepository
	if repository == "" {
		repository = DefaultAgentRepository
	}
	return repository + "/odi-agent-" + language + ":" + version
}

// Excludes says whether nothing in a namespace may be instrumented.
func (c Config) Excludes(namespace string) bool {
	return workload.IsSystemNamespace(namespace) || namespace == c.Namespace ||
		slices.Contains(c.ExcludedNamespaces, namespace)
}
