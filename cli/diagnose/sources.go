package diagnose

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// source is one kind of thing that is collected.
type source struct {
	// file is its name in the archive; <...> stands for many.
	file, what string
	// right is what the user has to be allowed, in words.
	right string
	read  func(context.Context, *collector) []part
}

// sources lists everything, in the order of help.
func sources() []source {
	all := []source{
		{"versions.json", "versions of this program, the API server and odi in the cluster", "none", versions},
		{"checks.json", "what odi check finds, without pods on nodes", "as odi check --no-pods", checked},
		{"values.yaml", "the chart's values that users gave", "get secrets in odi's namespace (Helm's release)", values},
	}
	for _, o := range objects {
		all = append(all, source{o.file(), o.what(), "list " + o.resource() + o.where(), func(ctx context.Context, c *collector) []part { return []part{c.list(ctx, o)} }})
	}
	return append(all,
		source{"nodes/<node>.json", "what each odiglet says of itself", "create pods/portforward in odi's namespace", fromOdiglets},
		source{"metrics/<pod>.prom", "metrics of each component", "create pods/portforward in odi's namespace", metrics},
		source{"logs/<pod>/<container>.log", "logs of odi's own pods, and those from before their last restart", "get pods/log in odi's namespace", logs},
	)
}

// scope is where objects of a kind are read.
type scope int

const (
	// own is odi's namespace.
	own scope = iota
	// everywhere are all namespaces, for kinds of odi's.
	everywhere
	// wide are objects of the whole cluster.
	wide
)

// kindOf is a kind that is collected.
type kindOf struct {
	schema.GroupVersionKind
	scope scope
	// odiOnly leaves out objects that are not odi's.
	odiOnly bool
}

// objects are the kinds. Pods and workloads of users are not among them, and never their environment.
var objects = []kindOf{
	{gvk("odi.dev/v1alpha1", "InstrumentationConfig"), everywhere, false},
	{gvk("odi.dev/v1alpha1", "Destination"), everywhere, false},
	{gvk("odi.dev/v1alpha1", "InstrumentedWorkload"), everywhere, false},
	{gvk("odi.dev/v1alpha1", "NodeInstrumentation"), wide, false},
	{gvk("v1", "Pod"), own, false},
	{gvk("v1", "Service"), own, false},
	{gvk("v1", "ConfigMap"), own, false},
	{gvk("v1", "Secret"), own, false},
	{gvk("v1", "ServiceAccount"), own, false},
	{gvk("v1", "ResourceQuota"), own, false},
	{gvk("v1", "LimitRange"), own, false},
	{gvk("apps/v1", "Deployment"), own, false},
	{gvk("apps/v1", "DaemonSet"), own, false},
	{gvk("apps/v1", "ReplicaSet"), own, false},
	{gvk("batch/v1", "Job"), own, false},
	{gvk("coordination.k8s.io/v1", "Lease"), own, false},
	{gvk("discovery.k8s.io/v1", "EndpointSlice"), own, false},
	{gvk("networking.k8s.io/v1", "NetworkPolicy"), own, false},
	{gvk("v1", "Node"), wide, false},
	{gvk("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"), wide, true},
	{gvk("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"), wide, true},
	{gvk("rbac.authorization.k8s.io/v1", "ClusterRole"), wide, true},
	{gvk("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"), wide, true},
	{gvk("events.k8s.io/v1", "Event"), everywhere, true},
}

func gvk(apiVersion, kind string) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(apiVersion, kind)
}

func (k kindOf) file() string {
	if k.Kind == "Event" {
		return "events.yaml"
	}
	return "objects/" + strings.ToLower(k.Kind) + "s.yaml"
}

func (k kindOf) what() string {
	text := map[scope]string{own: "in odi's namespace", everywhere: "in all namespaces", wide: "of the cluster"}[k.scope]
	switch {
	case k.Kind == "Event":
		return "Events of odi's namespace, and odi's own Events elsewhere"
	case k.Kind == "Secret":
		return "names and keys of Secrets " + text + "; no value"
	case k.odiOnly:
		return "odi's own " + k.Kind + " objects " + text
	}
	return k.Kind + " objects " + text
}

func (k kindOf) resource() string {
	name := strings.ToLower(k.Kind) + "s"
	if strings.HasSuffix(k.Kind, "Policy") {
		name = strings.TrimSuffix(strings.ToLower(k.Kind), "y") + "ies"
	}
	if k.Group == "" {
		return name
	}
	return name + "." + k.Group
}

func (k kindOf) where() string {
	if k.scope == own {
		return " in odi's namespace"
	}
	return ""
}
