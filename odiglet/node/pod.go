package node

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
)

// pod is what the odiglet keeps of a pod.
type pod struct {
	namespace, name, uid string
	// direct is the workload or the part of one that made it, ownerUID its identity; empty for a pod that nothing made.
	direct      workload.Reference
	ownerUID    types.UID
	serviceName string
	// workloads that it may belong to, the likeliest first.
	workloads []workload.Reference
	// asks means that only its owner can say for certain.
	asks       bool
	containers []container
	// addresses are those that it sends from, unless it is in the node's own network.
	addresses   []netip.Addr
	hostNetwork bool
	// over means that it runs no more: another pod may get its addresses.
	over bool
	// since is a time at which it had its addresses; it may have had them before. Zero: none is known.
	since time.Time
}

// container is a container that was started.
type container struct {
	name, id, image string
	running         bool
	// injected means that it was given an agent when the pod was made.
	injected bool
	// probes are the paths that the kubelet asks for.
	probes []string
}

// idOf is the id of a container; empty where it has not started.
func (p *pod) idOf(name string) string {
	for _, ct := range p.containers {
		if ct.name == name {
			return ct.id
		}
	}
	return ""
}

// readPod picks out of a pod what selection and resources need.
func readPod(p *corev1.Pod) pod {
	out := pod{
		namespace:   p.Namespace,
		name:        p.Name,
		uid:         string(p.UID),
		serviceName: p.Annotations[odiv1.AnnotationServiceName],
		workloads:   workload.OfPod(p),
		asks:        workload.Asks(p),
		hostNetwork: p.Spec.HostNetwork,
		over:        p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed,
		since:       sinceOf(p),
	}
	for _, ip := range p.Status.PodIPs {
		if a, err := netip.ParseAddr(ip.IP); err == nil {
			out.addresses = append(out.addresses, a)
		}
	}
	if owner := workload.Controller(p); owner != nil {
		out.direct, out.ownerUID = workload.OfOwner(p.Namespace, *owner), owner.UID
	}
	specs, agents := containerSpecs(p), workload.AgentsOf(p)
	for _, status := range slices.Concat(
		p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses) {
		_, id, ok := strings.Cut(status.ContainerID, "://")
		if !ok {
			continue // not started yet
		}
		spec := specs[status.Name]
		out.containers = append(out.containers, container{
			name: status.Name, id: id, image: spec.Image,
			running:  status.State.Running != nil,
			injected: agents[status.Name] != "",
			probes:   probePaths(spec),
		})
	}
	return out
}

// sinceOf is the earliest time at which a pod is known to have had its addresses: they come before its
// containers, and stay until the sandbox is made anew, which is the first of the conditions.
func sinceOf(p *corev1.Pod) time.Time {
	var earliest time.Time
	note := func(t metav1.Time) {
		if !t.IsZero() && (earliest.IsZero() || t.Time.Before(earliest)) {
			earliest = t.Time
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReadyToStartContainers && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if s.State.Running != nil {
			note(s.State.Running.StartedAt)
		}
	}
	return earliest
}

func containerSpecs(p *corev1.Pod) map[string]corev1.Container {
	specs := make(map[string]corev1.Container)
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		specs[c.Name] = c
	}
	for _, c := range p.Spec.EphemeralContainers {
		specs[c.Name] = corev1.Container{Name: c.Name, Image: c.Image}
	}
	return specs
}

// healthCheck is the call that the kubelet's probes by gRPC make.
const healthCheck = "/grpc.health.v1.Health/Check"

// probePaths are the paths of a container's probes by HTTP, without queries, and by gRPC.
func probePaths(c corev1.Container) []string {
	paths := make(map[string]bool)
	for _, probe := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe, c.StartupProbe} {
		if probe != nil && probe.GRPC != nil {
			paths[healthCheck] = true
		}
		if probe == nil || probe.HTTPGet == nil {
			continue
		}
		path, _, _ := strings.Cut(probe.HTTPGet.Path, "?")
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		paths[path] = true
	}
	return slices.Sorted(maps.Keys(paths))
}

// slim drops from a pod, before it is cached, all that readPod does not read:
// a pod's managed fields, volumes and environment are most of its size.
func slim(obj any) (any, error) {
	p, ok := obj.(*corev1.Pod)
	if !ok {
		return obj, nil
	}
	small := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: p.Namespace, Name: p.Name, UID: p.UID, ResourceVersion: p.ResourceVersion,
			OwnerReferences: p.OwnerReferences, Labels: keep(p.Labels, "pod-template-hash"),
			Annotations: keep(p.Annotations, odiv1.AnnotationServiceName, odiv1.AnnotationAgents),
		},
	}
	small.Spec.HostNetwork, small.Status.Phase, small.Status.PodIPs = p.Spec.HostNetwork, p.Status.Phase, p.Status.PodIPs
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReadyToStartContainers {
			small.Status.Conditions = append(small.Status.Conditions, corev1.PodCondition{Type: c.Type, Status: c.Status, LastTransitionTime: c.LastTransitionTime})
		}
	}
	small.Spec.InitContainers = slimContainers(p.Spec.InitContainers)
	small.Spec.Containers = slimContainers(p.Spec.Containers)
	for _, c := range p.Spec.EphemeralContainers {
		small.Spec.EphemeralContainers = append(small.Spec.EphemeralContainers, corev1.EphemeralContainer{
			EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: c.Name, Image: c.Image},
		})
	}
	small.Status.InitContainerStatuses = slimStatuses(p.Status.InitContainerStatuses)
	small.Status.ContainerStatuses = slimStatuses(p.Status.ContainerStatuses)
	small.Status.EphemeralContainerStatuses = slimStatuses(p.Status.EphemeralContainerStatuses)
	return small, nil
}

func keep(m map[string]string, keys ...string) map[string]string {
	var kept map[string]string
	for _, key := range keys {
		v, ok := m[key]
		if !ok {
			continue
		}
		if kept == nil {
			kept = make(map[string]string, len(keys))
		}
		kept[key] = v
	}
	return kept
}

func slimContainers(all []corev1.Container) []corev1.Container {
	small := make([]corev1.Container, 0, len(all))
	for _, c := range all {
		small = append(small, corev1.Container{
			Name: c.Name, Image: c.Image,
			LivenessProbe: slimProbe(c.LivenessProbe), ReadinessProbe: slimProbe(c.ReadinessProbe), StartupProbe: slimProbe(c.StartupProbe),
		})
	}
	return small
}

func slimProbe(p *corev1.Probe) *corev1.Probe {
	if p == nil {
		return nil
	}
	if p.GRPC != nil {
		return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{}}}
	}
	if p.HTTPGet == nil {
		return nil
	}
	return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: p.HTTPGet.Path}}}
}

func slimStatuses(all []corev1.ContainerStatus) []corev1.ContainerStatus {
	small := make([]corev1.ContainerStatus, 0, len(all))
	for _, s := range all {
		one := corev1.ContainerStatus{Name: s.Name, ContainerID: s.ContainerID}
		if s.State.Running != nil {
			one.State.Running = &corev1.ContainerStateRunning{StartedAt: s.State.Running.StartedAt}
		}
		small = append(small, one)
	}
	return small
}
