package node

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// +kubebuilder:rbac:groups="",resources=services,verbs=list;watch
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=list;watch

// slice is what an EndpointSlice says.
type slice struct {
	service   types.NamespacedName
	endpoints []endpoint
}

type endpoint struct {
	address netip.Addr
	pod     podRef
}

// follow keeps the directory equal to the API server; the watcher starts later.
func (d *directory) follow(ctx context.Context, w *watcher) error {
	if err := w.handle(ctx, &corev1.Service{}, d.onService, d.onServiceGone); err != nil {
		return err
	}
	return w.handle(ctx, &discoveryv1.EndpointSlice{}, d.onSlice, d.onSliceGone)
}

func (d *directory) onService(obj any) {
	if s, ok := obj.(*corev1.Service); ok {
		d.setService(types.NamespacedName{Namespace: s.Namespace, Name: s.Name}, s.Spec.ClusterIPs)
	}
}

func (d *directory) onServiceGone(obj any) {
	if s, ok := obj.(*corev1.Service); ok {
		d.setService(types.NamespacedName{Namespace: s.Namespace, Name: s.Name}, nil)
	}
}

// setService says which addresses a Service has. They stay its own as long as it is there.
func (d *directory) setService(of types.NamespacedName, addresses []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for address, service := range d.services {
		if service == of {
			delete(d.services, address)
		}
	}
	for _, text := range addresses {
		if address, err := netip.ParseAddr(text); err == nil { // "None" is none
			d.services[address] = of
		}
	}
}

func (d *directory) onSlice(obj any) {
	if s, ok := obj.(*discoveryv1.EndpointSlice); ok {
		d.setSlice(s.Namespace+"/"+s.Name, readSlice(s))
	}
}

func (d *directory) onSliceGone(obj any) {
	if s, ok := obj.(*discoveryv1.EndpointSlice); ok {
		d.setSlice(s.Namespace+"/"+s.Name, slice{})
	}
}

// readSlice picks out the pods and their addresses. One may have been written by hand: it says nothing of other
// namespaces' pods.
func readSlice(s *discoveryv1.EndpointSlice) slice {
	out := slice{service: types.NamespacedName{Namespace: s.Namespace, Name: s.Labels[discoveryv1.LabelServiceName]}}
	for _, e := range s.Endpoints {
		if e.TargetRef == nil || e.TargetRef.Kind != "Pod" || e.TargetRef.Namespace != s.Namespace {
			continue
		}
		ref := podRef{types.NamespacedName{Namespace: e.TargetRef.Namespace, Name: e.TargetRef.Name}, e.TargetRef.UID}
		for _, text := range e.Addresses {
			if address, err := netip.ParseAddr(text); err == nil {
				out.endpoints = append(out.endpoints, endpoint{address, ref})
			}
		}
	}
	return out
}

// setSlice takes the place of what the slice said before.
func (d *directory) setSlice(name string, now slice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.slices[name]
	for _, e := range before.endpoints {
		d.addresses[e.address].drop(e.pod, name, d.now())
		d.members[before.service].drop(e.pod, name, d.now())
	}
	for _, e := range now.endpoints {
		add(d.addresses, e.address, e.pod, name)
		add(d.members, now.service, e.pod, name)
	}
	if d.slices[name] = now; len(now.endpoints) == 0 {
		delete(d.slices, name)
	}
}

func add[K comparable](to map[K]tenants, key K, p podRef, source string) {
	if to[key] == nil {
		to[key] = make(tenants)
	}
	to[key].add(p, source)
}

// setOwn takes what a pod of the node says in place of what the one of its name said before; nil: nothing.
func (d *directory) setOwn(before, p *pod) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if before != nil {
		for _, address := range before.addresses {
			d.addresses[address].drop(before.ref(), ownPod, d.now())
		}
	}
	if p == nil {
		return
	}
	d.pods[p.ref()] = p
	if p.hostNetwork || p.over {
		return
	}
	for _, address := range p.addresses {
		add(d.addresses, address, p.ref(), ownPod)
	}
}

func (p *pod) ref() podRef {
	return podRef{types.NamespacedName{Namespace: p.namespace, Name: p.name}, types.UID(p.uid)}
}

// slimSlice drops what readSlice does not read.
func slimSlice(obj any) (any, error) {
	s, ok := obj.(*discoveryv1.EndpointSlice)
	if !ok {
		return obj, nil
	}
	small := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name, UID: s.UID, ResourceVersion: s.ResourceVersion, Labels: keep(s.Labels, discoveryv1.LabelServiceName)},
		AddressType: s.AddressType,
	}
	for _, e := range s.Endpoints {
		if e.TargetRef == nil {
			continue
		}
		small.Endpoints = append(small.Endpoints, discoveryv1.Endpoint{
			Addresses: e.Addresses,
			TargetRef: &corev1.ObjectReference{Kind: e.TargetRef.Kind, Namespace: e.TargetRef.Namespace, Name: e.TargetRef.Name, UID: e.TargetRef.UID},
		})
	}
	return small, nil
}

// slimService drops what onService does not read.
func slimService(obj any) (any, error) {
	s, ok := obj.(*corev1.Service)
	if !ok {
		return obj, nil
	}
	small := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name, UID: s.UID, ResourceVersion: s.ResourceVersion}}
	small.Spec.ClusterIPs = s.Spec.ClusterIPs
	return small, nil
}
