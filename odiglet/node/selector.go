package node

import (
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/identity"
	"github.com/odi-dev/odi/odiglet/process"
	"github.com/odi-dev/odi/odiglet/routes"
	"github.com/odi-dev/odi/odiglet/sampling"
	"github.com/odi-dev/odi/odiglet/spans"
)

// decided is what the odiglet keeps of an InstrumentedWorkload.
type decided struct {
	methods map[string]odiv1.Method // by container
	agents  map[string]string       // as language@version
	// watchUntil is how long to tell what the pods answer.
	watchUntil time.Time
	ignored    []string
	routes     *routes.Patterns
	queryKeys  []string
	traces     bool
	metrics    bool
	signals    []string
	// sampling decides for traces that begin in the workload.
	sampling samplings
	// untouched says that nothing is written into what the workload sends.
	untouched bool
}

// samplings are with the rules, and by the ratio alone: so goes what a container with an agent
// begins, as its agent does.
type samplings struct{ ruled, plain probe.Sampling }

func readWorkload(iw *odiv1.InstrumentedWorkload) decided {
	d := decided{
		methods:   make(map[string]odiv1.Method),
		agents:    make(map[string]string),
		ignored:   slices.Clone(iw.Spec.IgnoredPaths),
		traces:    wants(iw.Spec.Signals, odiv1.SignalTraces),
		metrics:   wants(iw.Spec.Signals, odiv1.SignalMetrics),
		queryKeys: slices.Clone(iw.Spec.QueryKeys),
		untouched: iw.Spec.Propagation == odiv1.PropagationNone,
	}
	// The API server takes only what compiles; without them, routes are learned.
	d.routes, _ = routes.Compile(iw.Spec.Routes)
	d.sampling.ruled, _ = sampling.Of(iw.Spec.SamplingRatio, iw.Spec.SamplingRules)
	d.sampling.plain, _ = sampling.Of(iw.Spec.SamplingRatio, nil)
	for _, s := range []odiv1.Signal{odiv1.SignalTraces, odiv1.SignalMetrics, odiv1.SignalLogs} {
		if wants(iw.Spec.Signals, s) {
			d.signals = append(d.signals, string(s))
		}
	}
	for _, c := range iw.Spec.Containers {
		d.methods[c.Name] = c.Method
		if c.Method == odiv1.MethodAgent {
			d.agents[c.Name] = c.Agent.Language + "@" + c.Agent.Version
		}
	}
	if iw.Spec.Rollout != nil {
		d.watchUntil = iw.Spec.Rollout.WatchUntil.Time
	}
	return d
}

func (d decided) equal(other decided) bool {
	return d.sampling == other.sampling && d.untouched == other.untouched && d.traces == other.traces && d.metrics == other.metrics && maps.Equal(d.methods, other.methods) && maps.Equal(d.agents, other.agents) && d.watchUntil.Equal(other.watchUntil) &&
		slices.Equal(d.ignored, other.ignored) && slices.Equal(d.queryKeys, other.queryKeys) && slices.Equal(d.signals, other.signals) && d.routes.Equal(other.routes)
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

// byAgent says whether an agent of the container may report. That of a pod which was made with one
// does until the pod has gone, also when none is decided any more: taking it its word would lose and
// double what is under way.
func (d decided) byAgent(ct container) bool {
	switch d.methods[ct.name] {
	case odiv1.MethodAgent:
		return true
	case odiv1.MethodEBPF:
		return ct.injected
	}
	return false
}

// samples says which traces are recorded that a container begins.
func (d decided) samples(ct container) probe.Sampling {
	if d.byAgent(ct) {
		return d.sampling.plain
	}
	return d.sampling.ruled
}

// method is what was decided for the container.
func (p place) method() odiv1.Method { return p.decided.methods[p.container.name] }

// cluster is what is known of pods and decisions. It is the odiglet's selector.
// It may be used by several goroutines.
type cluster struct {
	node string
	// changed is called after every change.
	changed  func()
	memories *memories
	answers  *answerBooks
	// directory knows whose addresses are.
	directory *directory
	// surroundings are set before anybody is named.
	surroundings surroundings
	// encrypting says what is known of processes that encrypt, by process id; nil: nothing is.
	encrypting func() map[int]odiv1.TLSFact

	mu          sync.RWMutex
	pods        map[string]*pod // by namespace/name
	byContainer map[string]*pod // by container id
	workloads   map[workload.Reference]decided
	// owned are the answers of owners that pods ask, by UID, while they have pods here.
	owned map[types.UID][]workload.Reference
}

func newCluster(node string, changed func()) *cluster {
	c := &cluster{
		node: node, changed: changed, memories: newMemories(), answers: newAnswerBooks(),
		pods:        make(map[string]*pod),
		byContainer: make(map[string]*pod),
		workloads:   make(map[workload.Reference]decided),
		owned:       make(map[types.UID][]workload.Reference),
	}
	c.directory = newDirectory(c)
	return c
}

func (c *cluster) setPod(p pod) {
	key := p.namespace + "/" + p.name
	c.mu.Lock()
	before := c.pods[key]
	c.forget(key)
	if known := c.owned[p.ownerUID]; known != nil && p.asks {
		p.workloads, p.asks = known, false
	}
	c.pods[key] = &p
	for _, ct := range p.containers {
		c.byContainer[ct.id] = &p
	}
	c.mu.Unlock()
	c.directory.setOwn(before, &p)
	c.changed()
}

func (c *cluster) deletePod(namespace, name string) {
	c.mu.Lock()
	before := c.pods[namespace+"/"+name]
	c.forget(namespace + "/" + name)
	c.mu.Unlock()
	if before != nil {
		c.directory.setOwn(before, nil)
	}
	c.changed()
}

// answer takes what an owner said: the workloads that its pods may belong to. An
// owner that is gone says nothing, and its pods keep what they say themselves.
func (c *cluster) answer(owner types.UID, workloads []workload.Reference) {
	c.mu.Lock()
	differs := false
	for _, p := range c.pods {
		if p.ownerUID != owner {
			continue
		}
		p.asks = false
		if workloads == nil {
			continue
		}
		c.owned[owner] = workloads
		differs = differs || !slices.Equal(p.workloads, workloads)
		p.workloads = workloads
	}
	c.mu.Unlock()
	if differs {
		c.changed()
	}
}

// asking lists one pod of each owner that has yet to be asked.
func (c *cluster) asking() map[types.UID]workload.Reference {
	c.mu.RLock()
	defer c.mu.RUnlock()
	owners := make(map[types.UID]workload.Reference)
	for _, p := range c.pods {
		if p.asks {
			owners[p.ownerUID] = p.direct
		}
	}
	return owners
}

// dropAnswers forgets the owners that have no pods here any more.
func (c *cluster) dropAnswers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := make(map[types.UID]bool)
	for _, p := range c.pods {
		left[p.ownerUID] = true
	}
	maps.DeleteFunc(c.owned, func(owner types.UID, _ []workload.Reference) bool { return !left[owner] })
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
	before, known := c.workloads[ref]
	c.workloads[ref] = d
	c.mu.Unlock()
	if !known || !before.equal(d) { // Most updates are of the status.
		c.changed()
	}
}

func (c *cluster) deleteWorkload(ref workload.Reference) {
	c.mu.Lock()
	delete(c.workloads, ref)
	for _, p := range c.pods {
		// A ReplicaSet ceases to be a workload when something adopts it: it is asked again.
		if p.direct == ref && c.owned[p.ownerUID] != nil {
			p.asks = true
		}
	}
	c.mu.Unlock()
	c.changed()
}

// wantsAgents says whether an agent is decided for any container here.
func (c *cluster) wantsAgents() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, p := range c.pods {
		_, d, ok := c.workloadOf(p)
		if !ok {
			continue
		}
		for _, ct := range p.containers {
			if d.byAgent(ct) {
				return true
			}
		}
	}
	return false
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
// one in a container is the container's. Where an agent is decided, processes that
// have none yet are watched like any other, and those that have one until it speaks.
func (c *cluster) Select(p process.Process, _ bool) attach.Verdict {
	at, ok := c.find(p.Container.ID)
	method := at.method()
	return attach.Verdict{
		Detect: ok,
		Attach: ok && (method == odiv1.MethodEBPF || method == odiv1.MethodAgent),
	}
}

// Wanted implements attach.Selector: a cgroup is of one container, or of none.
func (c *cluster) Wanted() attach.Wanted {
	return attach.Wanted{Wanted: probe.Wanted{Any: true}, ByCgroup: true}
}

// Origin implements attach.Selector.
func (c *cluster) Origin(p process.Process, rt language.Runtime, env map[string]string) (spans.Origin, bool) {
	at, ok := c.find(p.Container.ID)
	if !ok {
		return spans.Origin{}, false
	}
	service := identity.OfPod(c.identityOf(at, rt, env))
	return spans.Origin{
		Service:   service,
		Resource:  service.ProcessResource(p.PID, p.Name()),
		Filter:    spans.Filter{Ignored: at.decided.ignored, Probes: at.container.probes},
		Routes:    at.decided.routes,
		Traces:    at.decided.traces,
		Metrics:   at.decided.metrics,
		Agent:     at.decided.byAgent(at.container),
		Sampling:  at.decided.samples(at.container),
		Untouched: at.decided.untouched,
		QueryKeys: at.decided.queryKeys,
		Answers:   c.answers.desk(at, env),
	}, true
}

func (c *cluster) identityOf(at place, rt language.Runtime, env map[string]string) identity.Pod {
	id := identity.Pod{
		Namespace: at.pod.namespace, Name: at.pod.name, UID: at.pod.uid, Node: c.node,
		WorkloadKind: string(at.workload.Kind), WorkloadName: at.workload.Name,
		Container: at.container.name, ContainerID: at.container.id, Image: at.container.image,
		ServiceName: at.pod.serviceName, HostNetwork: at.pod.hostNetwork, Env: env, Language: string(rt.Language),
		Seen: c.surroundings.seen, Assumed: c.surroundings.assumed,
	}
	if len(at.pod.addresses) > 0 {
		id.IP = at.pod.addresses[0].String()
	}
	switch {
	case at.pod.direct.Kind == odiv1.KindReplicaSet:
		id.ReplicaSet = at.pod.direct.Name
	case at.workload.Kind == odiv1.KindCronJob:
		id.Job = at.pod.direct.Name
	}
	return id
}
