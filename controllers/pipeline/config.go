package pipeline

import (
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
)

// configMap holds the gateway's configuration, without secrets.
func configMap(g gateway) *coreac.ConfigMapApplyConfiguration {
	return coreac.ConfigMap(gatewayName, g.namespace).
		WithLabels(labels("gateway")).
		WithOwnerReferences(g.owners()...).
		WithData(map[string]string{configFile: g.config})
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

// secret holds the credentials of all Destinations, one key for each.
func secret(g gateway) *coreac.SecretApplyConfiguration {
	return coreac.Secret(credentialsName, g.namespace).
		WithLabels(labels("gateway")).
		WithOwnerReferences(g.owners()...).
		WithData(g.credentials)
}
