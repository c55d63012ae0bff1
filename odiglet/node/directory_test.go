package node

import (
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/odiglet/graph"
	"github.com/odi-dev/odi/odiglet/identity"
)

// asks is a directory with a clock, of a node that has no pods.
type asks struct {
	*testing.T
	*directory
	clock time.Time
}

func newAsks(t *testing.T) *asks {
	a := &asks{T: t, clock: time.Unix(2_000_000_000, 0)}
	c := newCluster("n1", func() {})
	c.setWorkload(workload.Reference{Namespace: "shop", Kind: odiv1.KindDeployment, Name: "cart"}, decided{metrics: true, methods: map[string]odiv1.Method{"app": odiv1.MethodEBPF}})
	a.directory = c.directory
	a.now = func() time.Time { return a.clock }
	return a
}

// after turns the clock.
func (a *asks) after(d time.Duration) { a.clock = a.clock.Add(d) }

// is fails unless the address was somebody's for so long until now.
func (a *asks) is(address string, lately time.Duration, want graph.Answer) {
	a.Helper()
	got := a.Find(graph.Question{Peer: netip.MustParseAddr(address), First: a.clock.Add(-lately), Last: a.clock})
	if diff := cmp.Diff(want, got); diff != "" {
		a.Errorf("%s (-want +got):\n%s", address, diff)
	}
}

// aPod is one of a Deployment that runs since the clock.
func (a *asks) aPod(name, of string) *pod {
	return &pod{
		namespace: "shop", name: name, uid: "uid-" + name, since: a.clock,
		workloads: []workload.Reference{{Namespace: "shop", Kind: odiv1.KindDeployment, Name: of}},
	}
}

func slicePods(service string, of map[string]*pod) slice {
	s := slice{service: types.NamespacedName{Namespace: "shop", Name: service}}
	for address, p := range of {
		s.endpoints = append(s.endpoints, endpoint{netip.MustParseAddr(address), p.ref()})
	}
	return s
}

func party(name string, observed bool) graph.Answer {
	return graph.Answer{State: graph.Known, Party: identity.Party{Name: name, Namespace: "shop", Cluster: true}, Observed: observed}
}

var (
	pending = graph.Answer{State: graph.Pending}
	unknown = graph.Answer{}
)

// TestAddressesChangeHands: nobody is named who may not have had the address all the time.
func TestAddressesChangeHands(t *testing.T) {
	a := newAsks(t)
	const address = "10.0.0.1"
	cart, stock := a.aPod("cart-1", "cart"), a.aPod("stock-1", "stock")
	a.after(time.Minute)
	a.setSlice("s", slicePods("cart", map[string]*pod{address: cart}))
	a.is(address, time.Second, pending)
	a.tell(cart.ref(), cart)
	a.is(address, time.Second, party("cart", true))
	a.is(address, time.Hour, unknown) // it did not run yet

	a.setSlice("s", slice{})
	a.after(time.Second)
	a.is(address, 2*time.Second, unknown) // it may have become another's
	stock.since = a.clock
	a.setSlice("t", slicePods("stock", map[string]*pod{address: stock}))
	a.tell(stock.ref(), stock)
	a.after(time.Second)
	a.is(address, 500*time.Millisecond, party("stock", false))
	a.is(address, 3*time.Second, unknown) // one after the other
	a.after(2 * remembered)
	a.sweep()
	if _, left := a.pods[cart.ref()]; left || len(a.addresses) != 1 {
		t.Errorf("who is gone is remembered: %v", a.pods)
	}
}

// TestPodsOfTheNode are known without a question, and until they are over.
func TestPodsOfTheNode(t *testing.T) {
	a := newAsks(t)
	p := a.aPod("cart-1", "cart")
	p.addresses = []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	a.cluster.setPod(*p)
	a.after(time.Minute)
	a.is("10.0.0.1", time.Second, party("cart", true))
	a.setSlice("s", slicePods("cart", map[string]*pod{"10.0.0.1": p}))
	a.setSlice("s", slice{})
	a.is("10.0.0.1", time.Second, party("cart", true))
	p.over = true
	a.cluster.setPod(*p)
	a.after(time.Second)
	a.is("10.0.0.1", time.Second, unknown)
	host := a.aPod("agent-1", "agent")
	host.hostNetwork, host.addresses = true, []netip.Addr{netip.MustParseAddr("10.1.0.1")}
	a.cluster.setPod(*host)
	a.setSlice("h", slicePods("agent", map[string]*pod{"10.1.0.1": host}))
	a.is("10.1.0.1", 0, unknown)
	if len(a.wanted) > 0 {
		t.Errorf("asked for: %v", a.wanted)
	}
}

// TestServices: one workload behind it is meant; of several it is not known which.
func TestServices(t *testing.T) {
	a := newAsks(t)
	name := types.NamespacedName{Namespace: "shop", Name: "front"}
	a.setService(name, []string{"10.96.0.1", "None"})
	a.is("10.96.0.1", 0, party("front", false))
	blue, green := a.aPod("cart-1", "cart"), a.aPod("cart-green-1", "cart-green")
	a.setSlice("s", slicePods("front", map[string]*pod{"10.0.0.1": blue}))
	a.is("10.96.0.1", 0, pending)
	a.tell(blue.ref(), blue)
	a.is("10.96.0.1", 0, party("cart", true))

	a.after(time.Minute)
	a.setSlice("s", slicePods("front", map[string]*pod{"10.0.0.2": green}))
	a.tell(green.ref(), green)
	a.after(time.Second)
	a.is("10.96.0.1", 5*time.Second, party("front", false))
	a.is("10.96.0.1", 500*time.Millisecond, party("cart-green", false))
	a.tell(green.ref(), nil) // it is gone
	a.is("10.96.0.1", 500*time.Millisecond, party("front", false))
	a.setService(name, nil)
	if len(a.services) > 0 {
		t.Errorf("addresses of no Service: %v", a.services)
	}
}

// TestStrangers are pods without a Service: each answer is worth something until it was given.
func TestStrangers(t *testing.T) {
	a := newAsks(t)
	p := a.aPod("job-1", "job")
	a.after(time.Minute)
	address := netip.MustParseAddr("10.0.0.7")
	seen := graph.Question{Peer: address, First: a.clock, Last: a.clock}
	if got := a.Find(seen); got != pending {
		t.Error(got)
	}
	a.after(time.Second)
	a.tellStranger(address, p, a.clock)
	if got := a.Find(seen); got != party("job", false) {
		t.Error(got)
	}
	a.after(time.Second)
	a.is("10.0.0.7", 0, pending) // again
	a.is("192.0.2.1", 0, unknown)
	for i := range 2 * maxStrangers {
		a.Find(graph.Question{Peer: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})})
	}
	if len(a.strangers) > maxStrangers {
		t.Errorf("%d addresses are asked about", len(a.strangers))
	}
}

// TestDirectoryOfACluster asks a real API server for pods of another node: of a Service, and of none.
func TestDirectoryOfACluster(t *testing.T) {
	config := testkit.APIServer(t)
	c := testkit.Client(t, config)
	testkit.Create(t, c, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "far"}})
	remote := func(name, address string) *corev1.Pod {
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "far", Name: name},
			Spec:       corev1.PodSpec{NodeName: "n2", Containers: []corev1.Container{{Name: "app", Image: "app:1"}}},
		}
		testkit.Create(t, c, p)
		p.Status = corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: address, PodIPs: []corev1.PodIP{{IP: address}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", ContainerID: "containerd://" + name, State: corev1.ContainerState{
				Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(time.Now().Add(-time.Minute))},
			}}},
		}
		if err := c.Status().Update(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	served := remote("served", "10.9.0.1")
	remote("stray", "10.9.0.2")
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "far", Name: "served"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
	testkit.Create(t, c, service)
	testkit.Create(t, c, &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "far", Name: "served-1", Labels: map[string]string{discoveryv1.LabelServiceName: "served"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{"10.9.0.1"},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "far", Name: "served", UID: served.UID},
		}},
	})

	scheme, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	here := newCluster("n1", func() {})
	w, err := newWatcher(config, scheme, here)
	if err != nil {
		t.Fatal(err)
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	asker := newAsker(api, newOwners(api, here, log), here.directory, log)
	if err := w.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	go asker.run(t.Context())
	now := time.Now()
	for address, name := range map[string]string{"10.9.0.1": "served", service.Spec.ClusterIP: "served", "10.9.0.2": "stray"} {
		q := graph.Question{Peer: netip.MustParseAddr(address), First: now, Last: now}
		want := graph.Answer{State: graph.Known, Party: identity.Party{Name: name, Namespace: "far", Cluster: true}}
		testkit.Eventually(t, 15*time.Second, address+" is known", func() bool { return here.directory.Find(q) == want })
	}
}
