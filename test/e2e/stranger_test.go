//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/traffic/stranger"
	"github.com/odi-dev/odi/internal/nodeapi"
)

// checkStranger has a pod outside of odi claim to be the shop's, towards every port
// of every pod and Service of odi's, and looks whether anything of it arrives.
func (w *world) checkStranger(t *testing.T) {
	// Jaeger itself takes anything: so the forger works, and would be seen.
	control := stranger.Claim{Addresses: []string{"jaeger.observability:4317"}, Service: "forged-control", Namespace: shop.Namespace}
	for _, a := range w.forge(t, control) {
		if a.Way == "gRPC" && !a.Taken {
			t.Fatalf("Jaeger took no span: %s", a.Words)
		}
	}
	forged := stranger.Claim{Addresses: w.odiAddresses(t), Service: "forged", Namespace: shop.Namespace}
	if len(forged.Addresses) < 10 {
		t.Fatalf("only %v was found", forged.Addresses)
	}
	for _, a := range w.forge(t, forged) {
		if a.Taken {
			t.Errorf("%s took a span of a stranger over %s", a.Address, a.Way)
		}
	}
	time.Sleep(3 * time.Second) // What was taken would be in Jaeger by then.
	services, err := w.cluster.Jaeger().Services(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(services, control.Service) {
		t.Errorf("Jaeger does not show what it took itself, only %v", services)
	}
	if slices.Contains(services, forged.Service) {
		t.Error("a forged span is in Jaeger")
	}
}

func (w *world) forge(t *testing.T, claim stranger.Claim) []stranger.Answer {
	t.Helper()
	answers, err := w.cluster.Forge(t.Context(), claim)
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) == 0 {
		t.Fatal("nothing was tried")
	}
	return answers
}

// odiAddresses are all that odi listens on, and the usual ports of OTLP beside.
func (w *world) odiAddresses(t *testing.T) []string {
	t.Helper()
	pods, err := w.cluster.Pods(t.Context(), "odi-system")
	if err != nil {
		t.Fatal(err)
	}
	var addresses []string
	for _, p := range pods {
		ports := []int32{4317, 4318, nodeapi.Port}
		for _, c := range p.Spec.Containers {
			for _, port := range c.Ports {
				ports = append(ports, port.ContainerPort)
			}
		}
		slices.Sort(ports)
		for _, port := range slices.Compact(ports) {
			addresses = append(addresses, net.JoinHostPort(p.Status.PodIP, strconv.Itoa(int(port))))
		}
	}
	var services corev1.ServiceList
	if err := w.cluster.List(t.Context(), &services, client.InNamespace("odi-system")); err != nil {
		t.Fatal(err)
	}
	for _, s := range services.Items {
		for _, port := range s.Spec.Ports {
			addresses = append(addresses, fmt.Sprintf("%s.%s:%d", s.Name, s.Namespace, port.Port))
		}
	}
	return addresses
}
