package pipeline

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/kube"
)

const (
	gatewayName     = "odi-gateway"
	credentialsName = "odi-gateway-credentials"
	nodeConfigName  = "odi-node-collector"
	configFile      = "config.yaml"
	lanesName       = "odi-gateway-lanes"
	lanesFile       = "lanes.json"
	nameLabel       = "app.kubernetes.io/name"
	partOfLabel     = "app.kubernetes.io/part-of"
)

// gateway is what the builders see: one value in, one object out of each.
type gateway struct {
	namespace string
	manager   *appsv1.Deployment
	// config and lanes are in parts, each for a ConfigMap; credentials each for a Secret.
	config      []string
	lanes       []string
	nodeConfig  string
	credentials []map[string][]byte
}

// named is an object to apply, with its name for messages.
type named struct {
	name   string
	object runtime.ApplyConfiguration
}

// objects lists all of the pipeline in the order in which they are applied. The
// chart has the pods that mount them.
func objects(g gateway) []named {
	var all []named
	for _, o := range secrets(g) {
		all = append(all, named{"Secret " + *o.Name, o})
	}
	for _, o := range slices.Concat(configMaps(g), laneMaps(g)) {
		all = append(all, named{"ConfigMap " + *o.Name, o})
	}
	return append(all, named{"ConfigMap " + nodeConfigName, nodeConfigMap(g)})
}

func newGateway(in Input, p plan) (gateway, error) {
	text, err := p.Gateway.YAML()
	if err != nil {
		return gateway{}, fmt.Errorf("making the gateway: %w", err)
	}
	config, err := collectorconfig.Split(text)
	if err != nil {
		return gateway{}, fmt.Errorf("making the gateway: %w", err)
	}
	lanes, err := record(p.Lanes)
	if err != nil {
		return gateway{}, fmt.Errorf("making the gateway: %w", err)
	}
	nodeConfig, err := p.Node.YAML()
	if err != nil {
		return gateway{}, fmt.Errorf("making the node collectors: %w", err)
	}
	return gateway{
		namespace: in.Namespace, manager: in.Manager,
		config:      padded(config, in.Applied.Objects.Config),
		lanes:       padded(lanes, in.Applied.Objects.Lanes),
		nodeConfig:  nodeConfig,
		credentials: padded(filled(p.Credentials), in.Applied.Objects.Credentials),
	}, nil
}

// padded empties objects that are there and not needed any more.
func padded[T any](parts []T, count int) []T {
	var empty T
	for len(parts) < count {
		parts = append(parts, empty)
	}
	return parts
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
