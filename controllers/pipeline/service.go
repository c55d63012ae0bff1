package pipeline

import (
	"k8s.io/apimachinery/pkg/util/intstr"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/odi-dev/odi/internal/collectorconfig"
)

// service is where the node collectors find the gateway.
func service(g gateway) *coreac.ServiceApplyConfiguration {
	port := func(name string, number int32) *coreac.ServicePortApplyConfiguration {
		return coreac.ServicePort().WithName(name).WithPort(number).WithTargetPort(intstr.FromString(name))
	}
	return coreac.Service(gatewayName, g.namespace).
		WithLabels(labels("gateway")).
		WithOwnerReferences(g.owners()...).
		WithSpec(coreac.ServiceSpec().
			WithSelector(map[string]string{nameLabel: gatewayName}).
			WithPorts(port("otlp-grpc", collectorconfig.PortOTLPGRPC)))
}
