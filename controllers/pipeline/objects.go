package pipeline

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

const (
	gatewayName     = "odi-gateway"
	credentialsName = "odi-gateway-credentials"
	nodeConfigName  = "odi-node-collector"
	configFile      = "config.yaml"
	nameLabel       = "app.kubernetes.io/name"
	partOfLabel     = "app.kubernetes.io/part-of"
)

// gateway is what the builders see: one value in, one object out of each.
type gateway struct {
	namespace   string
	manager     *appsv1.Deployment
	config      string
	nodeConfig  string
	credentials map[string][]byte
}

// named is an object to apply, with its name for messages.
type named struct {
	name   string
	object runtime.ApplyConfiguration
}

// objects lists all of the pipeline in the order in which they are applied. The
// chart has the pods that mount them.
func objects(g gateway) []named {
	return []named{
		{"Secret " + credentialsName, secret(g)},
		{"ConfigMap " + gatewayName, configMap(g)},
		{"ConfigMap " + nodeConfigName, nodeConfigMap(g)},
	}
}

func newGateway(in Input, p plan) (gateway, error) {
	config, err := p.Gateway.YAML()
	if err != nil {
		return gateway{}, fmt.Errorf("making the gateway: %w", err)
	}
	nodeConfig, err := p.Node.YAML()
	if err != nil {
		return gateway{}, fmt.Errorf("making the node collectors: %w", err)
	}
	return gateway{
		namespace: in.Namespace, manager: in.Manager,
		config: config, nodeConfig: nodeConfig, credentials: p.Credentials,
	}, nil
}

func labels(component string) map[string]string {
	return map[string]string{
		nameLabel:            gatewayName,
		partOfLabel:          "odi",
		odiv1.LabelManagedBy: odiv1.ManagedByOdi,
		odiv1.LabelComponent: component,
	}
}

// owners makes an object go with the manager's Deployment.
func (g gateway) owners() []*metaac.OwnerReferenceApplyConfiguration { return kube.OwnedBy(g.manager) }
