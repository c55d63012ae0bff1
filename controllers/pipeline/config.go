package pipeline

import (
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

// configMaps hold the gateway's configuration, without secrets.
func configMaps(g gateway) []*coreac.ConfigMapApplyConfiguration {
	return parts(g, gatewayName, configFile, g.config)
}

// laneMaps hold the record of the lanes, for the manager's own eyes.
func laneMaps(g gateway) []*coreac.ConfigMapApplyConfiguration {
	return parts(g, lanesName, lanesFile, g.lanes)
}

func parts(g gateway, name, file string, texts []string) []*coreac.ConfigMapApplyConfiguration {
	var maps []*coreac.ConfigMapApplyConfiguration
	for n, text := range texts {
		data := map[string]string{}
		if text != "" {
			data[collectorconfig.PartName(file, n, ".")] = text
		}
		maps = append(maps, coreac.ConfigMap(collectorconfig.PartName(name, n, "-"), g.namespace).
			WithLabels(labels("gateway")).
			WithOwnerReferences(g.owners()...).
			WithData(data))
	}
	return maps
}

// nodeConfigMap holds the configuration of the collectors beside the odiglets.
func nodeConfigMap(g gateway) *coreac.ConfigMapApplyConfiguration {
	own := labels("node-collector")
	own[nameLabel] = nodeConfigName
	return coreac.ConfigMap(nodeConfigName, g.namespace).
		WithLabels(own).
		WithOwnerReferences(g.owners()...).
		WithData(map[string]string{configFile: g.nodeConfig})
}

// secrets hold the credentials of all Destinations, one key for each.
func secrets(g gateway) []*coreac.SecretApplyConfiguration {
	var all []*coreac.SecretApplyConfiguration
	for n, data := range g.credentials {
		all = append(all, coreac.Secret(collectorconfig.PartName(credentialsName, n, "-"), g.namespace).
			WithLabels(labels("gateway")).
			WithOwnerReferences(g.owners()...).
			WithData(data))
	}
	return all
}
