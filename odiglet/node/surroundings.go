package node

import (
	"context"
	"os"
	"runtime"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/identity"
)

// +kubebuilder:rbac:groups="",resources=namespaces,resourceNames=kube-system,verbs=get

const (
	// clusterNameVariable and environmentVariable are what the chart's values say of the cluster.
	clusterNameVariable = "ODI_CLUSTER_NAME"
	environmentVariable = "ODI_ENVIRONMENT"
	// machineID is that of the node: the odiglet sees its first process.
	machineID = "/proc/1/root/etc/machine-id"
	// clusterUIDWithin bounds the question; without an answer the attribute is missing, and nothing else.
	clusterUIDWithin = 5 * time.Second
)

// surroundings are what every resource of the node's pods has in common.
type surroundings struct {
	// seen is what nobody in a pod knows better.
	seen []identity.Attribute
	// assumed is what a process may say otherwise.
	assumed []identity.Attribute
}

// surroundingsOf asks the node, the chart and the cluster.
func (o Options) surroundingsOf(ctx context.Context, api client.Reader) surroundings {
	clusterName, _ := o.Env(clusterNameVariable) // Empty where nobody says.
	environment, _ := o.Env(environmentVariable)
	id, err := os.ReadFile(machineID)
	if err != nil { // Of some systems it is not there.
		id = nil
	}
	return surroundings{
		seen: []identity.Attribute{
			{Key: telemetry.K8sClusterUID, Value: o.clusterUID(ctx, api)},
			{Key: telemetry.K8sClusterName, Value: clusterName},
			{Key: telemetry.HostID, Value: strings.TrimSpace(string(id))},
			{Key: telemetry.HostArch, Value: telemetry.Arch(runtime.GOARCH)},
		},
		assumed: []identity.Attribute{{Key: telemetry.DeploymentEnvironmentName, Value: environment}},
	}
}

// clusterUID is that of the namespace kube-system, by which the conventions know a cluster.
func (o Options) clusterUID(ctx context.Context, api client.Reader) string {
	ctx, cancel := context.WithTimeout(ctx, clusterUIDWithin)
	defer cancel()
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Namespace"})
	if err := api.Get(ctx, client.ObjectKey{Name: metav1.NamespaceSystem}, namespace); err != nil {
		o.Log.Warn("spans will not say of which cluster they are", "error", err)
		return ""
	}
	return string(namespace.UID)
}
