package identity

import (
	"cmp"
	"slices"
	"strings"

	"github.com/odi-dev/odi/internal/telemetry"
)

// Pod is what is known of a container in a pod.
type Pod struct {
	Namespace, Name, UID, Node string
	// IP is the first of the pod's addresses.
	IP string
	// Seen is what all pods of the node have in common, Assumed what their processes may say otherwise.
	Seen, Assumed []Attribute
	// WorkloadKind and WorkloadName are the owner's, for example Deployment and cart.
	WorkloadKind, WorkloadName string
	// ReplicaSet is the pod's direct owner where that is one.
	ReplicaSet string
	// Job is the pod's direct owner where the workload is a CronJob.
	Job         string
	Container   string
	ContainerID string
	Image       string
	// ServiceName is the annotation's, if the user chose one.
	ServiceName string
	// HostNetwork says that it is in the network of its node.
	HostNetwork bool
	// Env of the process.
	Env      map[string]string
	Language string
}

// OfPod names the service of a container: by the process's own environment, by the
// pod's annotation, else by the workload. Agents in the process have the same order.
func OfPod(p Pod) Service {
	named := FromEnv(p.Env)
	image, tag := splitImage(p.Image)
	attributes := []Attribute{
		{Key: telemetry.K8sNamespaceName, Value: p.Namespace},
		{Key: telemetry.WorkloadNameKey(p.WorkloadKind), Value: p.WorkloadName},
		{Key: telemetry.K8sReplicaSetName, Value: p.ReplicaSet},
		{Key: telemetry.WorkloadNameKey("Job"), Value: p.Job},
		{Key: telemetry.K8sPodName, Value: p.Name},
		{Key: telemetry.K8sPodUID, Value: p.UID},
		{Key: telemetry.K8sPodIP, Value: p.IP},
		{Key: telemetry.K8sContainerName, Value: p.Container},
		{Key: telemetry.K8sNodeName, Value: p.Node},
		{Key: telemetry.HostName, Value: p.Node},
		{Key: telemetry.ContainerID, Value: p.ContainerID},
		{Key: telemetry.ContainerImageName, Value: image},
	}
	if tag != "" {
		attributes = append(attributes, Attribute{Key: telemetry.ContainerImageTags, Values: []string{tag}})
	}
	return Service{
		Name:       cmp.Or(named.Service, p.ServiceName, p.WorkloadName),
		Namespace:  cmp.Or(named.Namespace, p.Namespace),
		Version:    cmp.Or(named.Version, tag),
		InstanceID: cmp.Or(named.Instance, p.Namespace+"."+p.Name+"."+p.Container),
		Language:   p.Language,
		Party:      Party{Name: cmp.Or(p.ServiceName, p.WorkloadName), Namespace: p.Namespace, Cluster: true},
		SharesHost: p.HostNetwork,
		Attributes: slices.DeleteFunc(slices.Concat(attributes, p.Seen, named.Others, p.Assumed), func(a Attribute) bool {
			return a.Key == "" || a.Value == "" && a.Values == nil
		}),
	}.bounded()
}

// splitImage takes tag and digest off a reference: a colon before the last
// slash is the port of a registry.
func splitImage(image string) (name, tag string) {
	name, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[:i], name[i+1:]
	}
	return name, ""
}
