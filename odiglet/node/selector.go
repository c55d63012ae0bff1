package node

import (
	"slices"
	"sync"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/spans"
)

// decided is what the odiglet keeps of an InstrumentedWorkload.
type decided struct {
	methods map[string]odiv1.Method // by container
	ignored []string
	routes  *routes.Patterns
	traces  bool
	metrics bool
}

func readWorkload(iw *odiv1.InstrumentedWorkload) decided {
	d := decided{
		methods: make(map[string]odiv1.Method),
		ignored: slices.Clone(iw.Spec.IgnoredPaths),
		traces:  wants(iw.Spec.Signals, odiv1.SignalTraces),
		metrics: wants(iw.Spec.Signals, odiv1.SignalMetrics),
	}
	// The API server takes only what compiles; without them, routes are learned.
	d.routes, _ = routes.Compile(iw.Spec.Routes)
	for _, c := range iw.Spec.Containers {
		d.methods[c.Name] = c.Method
	}
	return d
}

// wants says whether a signal is asked for; no list means every signal.
func wants(signals []odiv1.Signal, s odiv1.Signal) bool {
	return len(signals) == 0 || slices.Contains(signals, s)
}

// place is where a process runs: a container of a pod of a selected workload.
type place struct {
	pod       *pod
	container container
	workload  workload.Reference
	decided   decided
}

// cluster is what is known of pods and decisions. It is the odiglet's selector.
// It may be used by several goroutines.
type cluster struct {
	node string
	// changed is called after every change.
	changed func()

	mu          sync.RWMutex
	pods        map[string]*pod // by namespace/name
	byContainer map[string]*pod // by container id
	workloads   map[workload.Reference]decided
}

func newCluster(node string, changed func()) *cluster {
	return &cluster{
		node: node, changed: changed,
		pods:        make(map[string]*pod),
		byContainer: make(map[string]*pod),
		workloads:   make(map[workload.Reference]decided),
	}
}

func (c *cluster) setPod(p pod) {
	key := p.namespace + "/" + p.name
	c.mu.Lock()
	c.forget(key)
	c.pods[key] = &p
	for _, ct := range p.containers {
		c.byContainer[ct.id] = &p
	}
	c.mu.Unlock()
	c.changed()
}

func (c *cluster) deletePod(namespace, name string) {
	c.mu.Lock()
	c.forget(namespace + "/" + name)
	c.mu.Unlock()
	c.changed()
}

// forget removes a pod; c.mu is held.
func (c *cluster) forget(key string) {
	before, ok := c.pods[key]
	if !ok {
		return
	}
	for _, ct := range before.containers {
		if c.byContainer[ct.id] == before {
			delete(c.byContainer, ct.id)
		}
	}
	delete(c.pods, key)
}

func (c *cluster) setWorkload(ref workload.Reference, d decided) {
	c.mu.Lock()
	c.workloads[ref] = d
	c.mu.Unlock()
	c.changed()
}

func (c *cluster) deleteWorkload(ref workload.Reference) {
	c.mu.Lock()
	delete(c.workloads, ref)
	c.mu.Unlock()
	c.changed()
}

// find locates a container; false unless its workload is selected.
func (c *cluster) find(containerID string) (place, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, ok := c.byContainer[containerID]
	if !ok {
		return place{}, false
	}
	ref, d, ok := c.workloadOf(p)
	if !ok {
		return place{}, false
	}
	i := slices.IndexFunc(p.containers, func(ct container) bool { return ct.id == containerID })
	return place{pod: p, container: p.containers[i], workload: ref, decided: d}, true
}

// workloadOf finds the selected workload of a pod; c.mu is held.
func (c *cluster) workloadOf(p *pod) (workload.Reference, decided, bool) {
	for _, ref := range p.workloads {
		if d, ok := c.workloads[ref]; ok {
			return ref, d, true
		}
	}
	return workload.Reference{}, decided{}, false
}

// Select implements attach.Selector. Where a process came from does not matter:
// one in a container is the container's.
func (c *cluster) Select(p process.Process, _ bool) attach.Verdict {
	at, ok := c.find(p.Container.ID)
	return attach.Verdict{
		Detect: ok,
		Attach: ok && at.decided.methods[at.container.name] == odiv1.MethodEBPF,
	}
}

// Origin implements attach.Selector.
func (c *cluster) Origin(p process.Process, rt language.Runtime, env map[string]string) (spans.Origin, bool) {
	at, ok := c.find(p.Container.ID)
	if !ok {
		return spans.Origin{}, false
	}
	service := identity.OfPod(c.identityOf(at, rt, env))
	return spans.Origin{
		Service:  service,
		Resource: service.ProcessResource(p.PID, p.Name()),
		Filter:   spans.Filter{Ignored: at.decided.ignored, Probes: at.container.probes},
		Routes:   at.decided.routes,
		Traces:   at.decided.traces,
		Metrics:  at.decided.metrics,
	}, true
}

func (c *cluster) identityOf(at place, rt language.Runtime, env map[string]string) identity.Pod {
	id := identity.Pod{
		Namespace: at.pod.namespace, Name: at.pod.name, UID: at.pod.uid, Node: c.node,
		WorkloadKind: string(at.workload.Kind), WorkloadName: at.workload.Name,
		Container: at.container.name, ContainerID: at.container.id, Image: at.container.image,
		ServiceName: at.pod.serviceName, Env: env, Language: string(rt.Language),
	}
	switch {
	case at.pod.ownerKind == "ReplicaSet":
		id.ReplicaSet = at.pod.owner
	case at.workload.Kind == odiv1.KindCronJob:
		id.Job = at.pod.owner
	}
	return id
}
