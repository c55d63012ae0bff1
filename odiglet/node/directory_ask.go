package node

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/internal/workload"
)

// +kubebuilder:rbac:groups="",resources=pods,verbs=get

const (
	// between bounds how often the API server is asked for one pod by its name, and searching how often
	// for one by its address, for which it looks at all of them.
	between, searching = 50 * time.Millisecond, 2 * time.Second
	// swept is how often what is long gone is forgotten.
	swept = time.Minute
)

// asker asks the API server for pods of other nodes, one at a time.
type asker struct {
	client    client.Reader
	owners    *owners
	directory *directory
	log       *slog.Logger
	searched  time.Time
	// answers are what owners said since the last sweep: pods of one ReplicaSet have the same.
	answers map[types.UID][]workload.Reference
}

func newAsker(c client.Reader, o *owners, d *directory, log *slog.Logger) *asker {
	return &asker{client: c, owners: o, directory: d, log: log, answers: make(map[types.UID][]workload.Reference)}
}

// run asks until ctx ends.
func (a *asker) run(ctx context.Context) {
	sweep := time.NewTicker(swept)
	defer sweep.Stop()
	pause, wake := time.NewTimer(0), a.directory.wake
	for {
		select {
		case <-wake:
		case <-pause.C:
		case <-sweep.C:
			a.directory.sweep()
			clear(a.answers)
			continue
		case <-ctx.Done():
			return
		}
		if wake = a.directory.wake; a.step(ctx) {
			wake = nil // until the pause is over
			pause.Reset(between)
		}
	}
}

// step asks one question; false where there is none that may be asked now.
func (a *asker) step(ctx context.Context) bool {
	if ref, ok := a.directory.nextPod(); ok {
		p, err := a.get(ctx, ref)
		if err != nil {
			a.log.Debug("a pod that is talked with is not known", "pod", ref.String(), "error", err)
			a.directory.unwant(ref)
			return true
		}
		a.directory.tell(ref, p)
		return true
	}
	address, known, ok := a.directory.nextStranger()
	if !ok {
		return false
	}
	asked := time.Now()
	p, err := a.again(ctx, known, address)
	if p == nil && err == nil {
		if !wait(ctx, time.Until(a.searched.Add(searching))) {
			return false
		}
		asked = time.Now()
		a.searched = asked
		p, err = a.search(ctx, address)
	}
	if err != nil {
		a.log.Debug("an address that is talked with is not known", "address", address.String(), "error", err)
	}
	a.directory.tellStranger(address, p, asked)
	return true
}

// wait tells whether ctx lasts for so long.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// get asks for a pod; nil where it is gone, or another has its name.
func (a *asker) get(ctx context.Context, ref podRef) (*pod, error) {
	var p corev1.Pod
	if err := a.client.Get(ctx, ref.NamespacedName, &p); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if p.UID != ref.uid {
		return nil, nil
	}
	return a.read(ctx, &p)
}

// again asks for a pod that an address was known of, and nil where it has it no more.
func (a *asker) again(ctx context.Context, known *pod, address netip.Addr) (*pod, error) {
	if known == nil {
		return nil, nil
	}
	p, err := a.get(ctx, known.ref())
	if err != nil || p == nil || p.over || !slices.Contains(p.addresses, address) {
		return nil, err
	}
	return p, nil
}

// search asks whose an address is; nil where it is nobody's or that of several, in the network of a node. What the
// API server remembers will do, without reading every pod from etcd (before Kubernetes 1.31): who is found is asked for by name.
func (a *asker) search(ctx context.Context, address netip.Addr) (*pod, error) {
	var found corev1.PodList
	remembered := &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: "0"}}
	if err := a.client.List(ctx, &found, client.MatchingFields{"status.podIP": address.String()}, remembered); err != nil {
		return nil, err
	}
	var running []*corev1.Pod
	for i := range found.Items {
		p := &found.Items[i]
		if p.Status.Phase == corev1.PodRunning && !p.Spec.HostNetwork {
			running = append(running, p)
		}
	}
	if len(running) != 1 {
		return nil, nil
	}
	known := readPod(running[0])
	return a.again(ctx, &known, address)
}

// read picks out what is needed, and asks the pod's owner where only that knows whose it is.
func (a *asker) read(ctx context.Context, p *corev1.Pod) (*pod, error) {
	out := readPod(p)
	if !out.asks {
		return &out, nil
	}
	workloads, said := a.answers[out.ownerUID]
	if !said {
		var err error
		if workloads, err = a.owners.workloads(ctx, out.ownerUID, out.direct); err != nil {
			return nil, err
		}
		a.answers[out.ownerUID] = workloads
	}
	if out.asks = false; len(workloads) > 0 {
		out.workloads = workloads
	}
	return &out, nil
}

// nextPod is one that is to be asked for.
func (d *directory) nextPod() (podRef, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ref := range d.wanted {
		return ref, true
	}
	return podRef{}, false
}

// tell takes the answer, nil where there is no such pod.
func (d *directory) tell(ref podRef, p *pod) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.wanted, ref)
	d.pods[ref] = p
}

// unwant takes that there was no answer: it is asked again when it is talked with.
func (d *directory) unwant(ref podRef) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.wanted, ref)
}

// nextStranger is an address that is to be asked about, with the pod that had it.
func (d *directory) nextStranger() (netip.Addr, *pod, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for address, s := range d.strangers {
		if s.wanted {
			return address, s.pod, true
		}
	}
	return netip.Addr{}, nil, false
}

// tellStranger takes the answer, which was true when it was asked for.
func (d *directory) tellStranger(address netip.Addr, p *pod, asked time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.strangers[address]; s != nil {
		s.pod, s.checked, s.wanted = p, asked, false
	}
}
