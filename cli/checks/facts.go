package checks

import (
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/components"
	"github.com/odi-dev/odi/cli/kinds"
	"github.com/odi-dev/odi/cli/release"
	"github.com/odi-dev/odi/internal/nodefacts"
)

// Facts are all that checks judge by. What was not read is unknown.
type Facts struct {
	// Namespace is odi's own, or is to be.
	Namespace string
	// Version is this program's.
	Version string
	// Now is this machine's clock.
	Now time.Time

	Server Known[Server]
	// Served has the API groups with versions, as apps/v1.
	Served Known[map[string]bool]
	// DeadAPIs are aggregated APIs whose server does not answer.
	DeadAPIs Known[[]string]
	// Definitions are the names of all CustomResourceDefinitions.
	Definitions Known[[]string]
	// Hooks are webhooks of others that are asked about pods.
	Hooks Known[[]Hook]
	// Rights are what the user may do.
	Rights map[Right]Known[bool]

	// House is odi's namespace; nil where it does not exist yet.
	House      Known[*corev1.Namespace]
	Quotas     Known[[]corev1.ResourceQuota]
	Limits     Known[[]corev1.LimitRange]
	PodRefusal Known[string]
	// PullSecrets says of each Secret that images are pulled with whether it exists.
	PullSecrets Known[map[string]bool]

	// Values are those that users gave; ValuesProblem is why the chart does not take them.
	Values        Known[map[string]any]
	ValuesProblem Known[string]
	// Refusals are objects of the chart that the API server does not take in a dry run.
	Refusals Known[[]Refusal]
	// Classes says of each PriorityClass that is asked for whether it exists.
	Classes Known[map[string]bool]

	Release Known[Release]
	Kinds   Known[[]Kind]
	// Foreign are cluster-wide objects by the names of the chart's that belong to another release, or to none.
	Foreign Known[[]string]
	// Marked are namespaces that carry odi's label for the webhook.
	Marked Known[[]string]
	// Strays are namespaces and Jobs of former checks.
	Strays Known[[]string]

	Nodes Known[[]corev1.Node]
	// OnNodes is what the short-lived pods said, by node; nodes that were not asked are missing.
	OnNodes Known[map[string]Known[nodefacts.Facts]]

	Components Known[components.Observed]
	// Hook is odi's own webhook; nil where there is none. HookEndpoints are the pods that answer it.
	Hook          Known[*admissionv1.MutatingWebhookConfiguration]
	HookEndpoints Known[int]
	Certificates  Known[[]Certificate]
	Destinations  Known[[]odiv1.Destination]
	Configs       Known[[]odiv1.InstrumentationConfig]
	// Backends are the Services of this cluster that Destinations name.
	Backends Known[[]Backend]
	// Asked are the Destinations that the gateway was asked about, because nothing else tells
	// whether their backends take data (NeedsAsking).
	Asked Known[[]Asked]
	// Called are the addresses of Destinations that pods on nodes called.
	Called Known[[]Call]
}

// Asked is what came of testing a Destination in the gateway.
type Asked struct {
	Destination string
	// Problem is why nothing could be sent; then Refused says nothing.
	Problem string
	// Refused is what the backend did not take, with the reason; empty where it took all.
	Refused string
}

// Server is what the API server says of itself.
type Server struct {
	// Version as v1.36.3.
	Version      string
	Major, Minor int
	// Skew is how far its clock is ahead of this machine's; unknown where it did not say.
	Skew Known[time.Duration]
}

// Hook is a webhook of somebody else's that is asked about new pods.
type Hook struct {
	Name string
	// Closed says that nothing is made while it does not answer.
	Closed bool
	// Service is namespace/name; empty for one at a URL.
	Service string
	// Ready is how many pods answer for the Service.
	Ready int
	// Selects says that it is asked about odi's namespace, too.
	Selects bool
}

// Refusal is an object that the API server does not take.
type Refusal struct {
	Object string
	Text   string
	// Unserved says that the API server does not know the kind.
	Unserved bool
}

// Release is what is known of odi's own release.
type Release struct {
	State release.State
	// Elsewhere are namespaces with another odi.
	Elsewhere []string
}

// Kind is one of odi's kinds in the cluster.
type Kind struct {
	kinds.Definition
	// Deleting says that it is on its way out.
	Deleting bool
}

// Certificate is one of odi's.
type Certificate struct {
	Secret string
	// Until is when it runs out; Problem why it cannot be told.
	Until   time.Time
	Problem string
}

// Backend is a Service that a Destination sends to.
type Backend struct {
	// Destination and Service are namespace/name.
	Destination, Service string
	Port                 int
	// Problem is why nothing would be reached; empty where pods are ready behind that port.
	Problem string
}

// Call is an address that a Destination sends to.
type Call struct{ Destination, Address string }

// Right is one thing that a user may do.
type Right struct {
	Verb, Group, Resource string
	// Own means: in odi's namespace; otherwise in the whole cluster.
	Own bool
}
