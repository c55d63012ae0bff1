package node

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// away is an API server that does not answer.
type away struct{ client.Reader }

func (away) Get(context.Context, client.ObjectKey, client.Object, ...client.GetOption) error {
	return errors.New("the server is currently unable to handle the request")
}

// TestNoAnswerIsNone: who could not be asked for is asked for again, and is not held for gone.
func TestNoAnswerIsNone(t *testing.T) {
	a := newAsks(t)
	cart := a.aPod("cart-1", "cart")
	a.after(time.Minute)
	a.setSlice("s", slicePods("cart", map[string]*pod{"10.0.0.1": cart}))
	a.is("10.0.0.1", time.Second, pending)
	asker := newAsker(away{}, nil, a.directory, slog.New(slog.DiscardHandler))
	if !asker.step(t.Context()) {
		t.Error("nobody was asked for")
	}
	a.is("10.0.0.1", time.Second, pending)
	if !a.wanted[cart.ref()] {
		t.Errorf("it is not asked for again: %v", a.wanted)
	}
}

// TestAPodGetsAnotherAddress, as when its sandbox is made anew: the former one is somebody else's.
func TestAPodGetsAnotherAddress(t *testing.T) {
	a := newAsks(t)
	cart, stock := a.aPod("cart-1", "cart"), a.aPod("stock-1", "stock")
	cart.addresses = []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	a.cluster.setPod(*cart)
	cart.addresses = []netip.Addr{netip.MustParseAddr("10.0.0.2")}
	a.cluster.setPod(*cart)
	a.after(time.Second)
	stock.since, stock.addresses = a.clock, []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	a.cluster.setPod(*stock)
	a.after(time.Minute)
	a.is("10.0.0.1", time.Second, party("stock", false))
	a.is("10.0.0.2", time.Second, party("cart", true))
}

// TestSlicesSpeakOfTheirNamespace: who writes one by hand may not name others' pods.
func TestSlicesSpeakOfTheirNamespace(t *testing.T) {
	s := readSlice(&discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "s"},
		Endpoints: []discoveryv1.Endpoint{
			{Addresses: []string{"10.0.0.1"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "cart-1", UID: "u1"}},
			{Addresses: []string{"10.0.0.2"}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "payments", Name: "ledger-0", UID: "u2"}},
		},
	})
	if len(s.endpoints) != 1 || s.endpoints[0].pod.Namespace != "shop" {
		t.Errorf("endpoints: %v", s.endpoints)
	}
}
