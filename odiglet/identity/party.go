package identity

import "github.com/odi-dev/odi/internal/telemetry"

// Party is an end of an edge of the service graph. Both ends of a request give it the same name,
// so it has nothing of what only the process itself knows.
type Party struct {
	// Name is the pod's annotation, else the workload; outside of Kubernetes the service.
	Name string
	// Namespace is that of the workload or of the service.
	Namespace string
	// Cluster says that Namespace is one of Kubernetes.
	Cluster bool
}

// bounded cuts the names, which are labels of metrics.
func (p Party) bounded() Party {
	p.Name, p.Namespace = telemetry.Clip(p.Name, telemetry.MaxValue), telemetry.Clip(p.Namespace, telemetry.MaxValue)
	return p
}
