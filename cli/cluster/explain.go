package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// errNoCluster is for a machine without any kubeconfig.
var errNoCluster = errors.New("no cluster: no kubeconfig says where one is; set KUBECONFIG or --kubeconfig; to see what is set: kubectl config view")

// Explain turns what a command met into one line: what, where, and the command
// that shows it. An error that is not about reaching the cluster comes back as it is.
func (c *Cluster) Explain(err error) error {
	switch {
	case err == nil:
		return nil
	case noKubeconfig(err):
		return errNoCluster
	case badContext(err):
		return fmt.Errorf("%w; to see what there is: kubectl config get-contexts", err)
	case apierrors.IsForbidden(err) && isPermission(err):
		return fmt.Errorf("no permission%s: %s; to check: %s", c.inContext(), subject(err), canI(err))
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the cluster%s refused your credentials; to check: kubectl%s auth whoami", c.inContext(), c.contextFlag())
	case noOdiKinds(err):
		return fmt.Errorf("odi is not installed in this cluster%s; to install it: odi install", c.inContext())
	default:
		return c.explainNetwork(err)
	}
}

func (c *Cluster) explainNetwork(err error) error {
	var request *url.Error
	var lookup net.Error
	switch {
	case errors.As(err, &request) && !errors.Is(err, context.Canceled):
		return c.unreachable(request)
	case errors.As(err, &lookup):
		return fmt.Errorf("the cluster%s cannot be reached: %w; to check: kubectl%s cluster-info", c.inContext(), lookup, c.contextFlag())
	default:
		return err
	}
}

func (c *Cluster) unreachable(err *url.Error) error {
	if c.IsNowhere() {
		return errNoCluster
	}
	where := err.URL
	if u, parseErr := url.Parse(err.URL); parseErr == nil {
		where = u.Scheme + "://" + u.Host
	}
	cause := err.Err
	if errors.Is(cause, context.DeadlineExceeded) {
		cause = errors.New("no answer in time")
	}
	return fmt.Errorf("the cluster at %s%s cannot be reached: %w; to check: kubectl%s cluster-info", where, c.inContext(), cause, c.contextFlag())
}

// IsNowhere says whether nothing names a cluster, and the client would fall back to its default address.
func (c *Cluster) IsNowhere() bool {
	raw, err := c.flags.ToRawKubeConfigLoader().RawConfig()
	return err == nil && len(raw.Clusters) == 0 && *c.flags.APIServer == "" && !insideCluster()
}

func (c *Cluster) inContext() string {
	if name := c.ContextName(); name != "" {
		return fmt.Sprintf(" (context %q)", name)
	}
	return ""
}

func (c *Cluster) contextFlag() string {
	if *c.flags.Context != "" {
		return " --context " + *c.flags.Context
	}
	return ""
}

func noKubeconfig(err error) bool {
	// Helm's client wraps the error as text.
	return clientcmd.IsEmptyConfig(err) || strings.Contains(err.Error(), "no configuration has been provided")
}

func badContext(err error) bool {
	text := err.Error()
	return clientcmd.IsContextNotFound(err) || strings.Contains(text, "context \"") && strings.Contains(text, "does not exist")
}

func noOdiKinds(err error) bool {
	var group *discovery.ErrGroupDiscoveryFailed
	return (meta.IsNoMatchError(err) || errors.As(err, &group)) && strings.Contains(err.Error(), "odi.dev")
}

// denial is the API server's sentence about a missing permission.
var denial = regexp.MustCompile(`User "([^"]*)" cannot ([a-z]+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)"| at the cluster scope)?`)

// isPermission tells RBAC's refusals from those of admission, which are Forbidden as well.
func isPermission(err error) bool { return denial.MatchString(err.Error()) }

func subject(err error) string {
	m := denial.FindStringSubmatch(err.Error())
	where := "in the whole cluster"
	if m[5] != "" {
		where = "in the namespace " + m[5]
	}
	return fmt.Sprintf("%s may not %s %s %s", m[1], m[2], qualified(m[3], m[4]), where)
}

func canI(err error) string {
	m := denial.FindStringSubmatch(err.Error())
	where := " --all-namespaces"
	if m[5] != "" {
		where = " --namespace " + m[5]
	}
	return "kubectl auth can-i " + m[2] + " " + qualified(m[3], m[4]) + where
}

// qualified writes a resource as kubectl takes it: deployments.apps, pods/proxy.
func qualified(resource, group string) string {
	if group == "" {
		return resource
	}
	name, sub, found := strings.Cut(resource, "/")
	if found {
		return name + "." + group + "/" + sub
	}
	return name + "." + group
}

// insideCluster says whether this is a pod with an account, as the client asks.
func insideCluster() bool {
	_, err := rest.InClusterConfig()
	return err == nil
}
