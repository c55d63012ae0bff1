package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/pflag"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// requestTimeout bounds one request, so that a cluster that swallows packets is an error and not a riddle.
const requestTimeout = 30 * time.Second

// Cluster is the cluster that the kubeconfig flags of one invocation point at.
// Nothing is contacted before a method is called.
type Cluster struct {
	flags *genericclioptions.ConfigFlags
}

// New returns the cluster of the user's current context until flags say otherwise.
func New() *Cluster {
	flags := genericclioptions.NewConfigFlags(true)
	// A command lists a few kinds once; the client's default of 5 requests a second would only slow it.
	flags.WrapConfigFn = func(c *rest.Config) *rest.Config {
		c.QPS, c.Burst = 50, 100
		if c.Timeout == 0 {
			c.Timeout = requestTimeout
		}
		return c
	}
	return &Cluster{flags: flags}
}

// AddFlags adds the standard kubeconfig flags. All work; help shows the three that people use.
func (c *Cluster) AddFlags(flags *pflag.FlagSet) {
	own := pflag.NewFlagSet("cluster", pflag.ContinueOnError)
	c.flags.AddFlags(own)
	shown := map[string]string{
		"kubeconfig": "kubeconfig `file`; default: $KUBECONFIG, then ~/.kube/config",
		"context":    "kubeconfig `context` to use",
		"namespace":  "`namespace` of the objects",
	}
	own.VisitAll(func(f *pflag.Flag) {
		usage, ok := shown[f.Name]
		f.Hidden = !ok
		if ok {
			f.Usage = usage
		}
	})
	flags.AddFlagSet(own)
}

// Getter returns the flags in the form that Helm wants.
func (c *Cluster) Getter() genericclioptions.RESTClientGetter { return c.flags }

// Config returns how the API server is reached.
func (c *Cluster) Config() (*rest.Config, error) { return c.flags.ToRESTConfig() }

// Client returns a client that knows Kubernetes' kinds and odi's.
func (c *Cluster) Client() (client.Client, error) {
	config, err := c.Config()
	if err != nil {
		return nil, err
	}
	// Warnings of the API server, for example about deprecated versions, are for developers of odi.
	config.WarningHandler = rest.NoWarnings{}
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	return client.New(config, client.Options{Scheme: scheme})
}

// Scheme knows Kubernetes' kinds and odi's.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := clientscheme.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering Kubernetes' kinds: %w", err)
	}
	if err := odiv1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("registering odi's kinds: %w", err)
	}
	return scheme, nil
}

// Namespace is the namespace of --namespace, else of the kubeconfig context, else "default".
func (c *Cluster) Namespace() (string, error) {
	namespace, _, err := c.flags.ToRawKubeConfigLoader().Namespace()
	return namespace, err
}

// NamespaceFlag is the namespace of --namespace; empty when the flag was not given.
func (c *Cluster) NamespaceFlag() string { return *c.flags.Namespace }

// ContextName is the name of the kubeconfig context in use; empty inside a cluster.
func (c *Cluster) ContextName() string {
	if *c.flags.Context != "" {
		return *c.flags.Context
	}
	raw, err := c.flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return ""
	}
	return raw.CurrentContext
}

// Contexts are the names of the kubeconfig's contexts, in order; none when it cannot be read.
func (c *Cluster) Contexts() []string {
	raw, err := c.flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(raw.Contexts))
}

// OdiNamespace finds where odi is installed: where its manager is, else the default namespace.
// Whoever may not look is answered with the default namespace.
func OdiNamespace(ctx context.Context, c client.Client) (string, error) {
	key := client.ObjectKey{Namespace: odiv1.DefaultNamespace, Name: ManagerName}
	err := c.Get(ctx, key, &appsv1.Deployment{})
	if err == nil || apierrors.IsForbidden(err) {
		return odiv1.DefaultNamespace, nil
	}
	if !apierrors.IsNotFound(err) {
		return "", fmt.Errorf("looking for odi's manager: %w", err)
	}
	var managers appsv1.DeploymentList
	err = c.List(ctx, &managers, client.MatchingLabels{PartOfLabel: "odi", odiv1.LabelComponent: "manager"})
	if apierrors.IsForbidden(err) {
		return odiv1.DefaultNamespace, nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for odi's manager: %w", err)
	}
	if len(managers.Items) == 0 {
		return odiv1.DefaultNamespace, nil
	}
	return managers.Items[0].Namespace, nil
}

// Installed finds odi's manager and its version; both are empty where there is none.
func Installed(ctx context.Context, c client.Client) (namespace, version string, err error) {
	namespace, err = OdiNamespace(ctx, c)
	if err != nil {
		return "", "", err
	}
	var manager appsv1.Deployment
	err = c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ManagerName}, &manager)
	if apierrors.IsNotFound(err) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("reading odi's manager: %w", err)
	}
	return namespace, manager.Labels["app.kubernetes.io/version"], nil
}

// Names of what the chart and the manager create.
const (
	PartOfLabel = "app.kubernetes.io/part-of"
	ManagerName = "odi-manager"
	OdigletName = "odiglet"
	// NodeCollectorName is the DaemonSet of the node collectors.
	NodeCollectorName = "odi-node-collector"
	GatewayName       = "odi-gateway"
)
