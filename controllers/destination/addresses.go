package destination

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// learnAddresses remembers where odi's own pods and the gateway's Service are: a
// Destination that points there would get its own data again.
func (o *observer) learnAddresses(ctx context.Context, pods []corev1.Pod) error {
	var service corev1.Service
	err := o.reader.Get(ctx, types.NamespacedName{Namespace: o.namespace, Name: gatewayName}, &service)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading the gateway's Service: %w", err)
	}
	texts := slices.Clone(service.Spec.ClusterIPs)
	for i := range pods {
		// Pods on the node's network have its address: others may live there too.
		ofOdi := pods[i].Labels[nameLabel] == gatewayName || pods[i].Labels[partOfLabel] == "odi"
		if !ofOdi || pods[i].Spec.HostNetwork {
			continue
		}
		for _, ip := range pods[i].Status.PodIPs {
			texts = append(texts, ip.IP)
		}
	}
	var own []netip.Addr
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil { // A headless Service has "None".
			own = append(own, addr.Unmap())
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.own = own
	return nil
}

// addresses are those that were learned last.
func (o *observer) addresses() []netip.Addr {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.own
}
