package node

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/odiglet/attach"
	"github.com/odi-dev/odi/odiglet/handover"
	"github.com/odi-dev/odi/odiglet/identity"
)

// The words of the node collector's odi_agents extension (collector/components), which
// is of another module.

// agentTable is who is who on the node.
type agentTable struct {
	Node          string       `json:"node"`
	HostAddresses []netip.Addr `json:"hostAddresses,omitempty"`
	Pods          []agentPod   `json:"pods"`
}

type agentPod struct {
	UID         string                   `json:"uid"`
	Addresses   []netip.Addr             `json:"addresses,omitempty"`
	HostNetwork bool                     `json:"hostNetwork,omitempty"`
	Signals     []string                 `json:"signals,omitempty"`
	Ignored     []string                 `json:"ignored,omitempty"`
	Containers  map[string]agentIdentity `json:"containers,omitempty"`
}

type agentIdentity struct {
	Attributes map[string]string   `json:"attributes"`
	Lists      map[string][]string `json:"lists,omitempty"`
	Probes     []string            `json:"probes,omitempty"`
}

// agentTable says who may send and as whom: containers for which an agent is decided or
// that still have one, each under the resource that its eBPF spans have.
func (c *cluster) agentTable(instances []attach.Instance) agentTable {
	known, own := processesOf(instances), ownSDKs(instances)
	c.mu.RLock()
	defer c.mu.RUnlock()
	t := agentTable{Node: c.node, Pods: []agentPod{}}
	for _, key := range slices.Sorted(maps.Keys(c.pods)) {
		p := c.pods[key]
		if p.over {
			continue // its address may be another's by now
		}
		out := agentPod{UID: p.uid, Addresses: p.addresses, HostNetwork: p.hostNetwork}
		if ref, d, ok := c.workloadOf(p); ok {
			out.Signals, out.Ignored, out.Containers = d.signals, d.ignored, c.agentsOf(p, ref, d, known)
			maps.DeleteFunc(out.Containers, func(name string, _ agentIdentity) bool { return own[p.idOf(name)] })
		}
		t.Pods = append(t.Pods, out)
	}
	return t
}

// agentsOf are the containers of a pod that may have an agent; known are the
// environments of their processes, by container.
func (c *cluster) agentsOf(p *pod, ref workload.Reference, d decided, known map[string]map[string]string) map[string]agentIdentity {
	var all map[string]agentIdentity
	for _, ct := range p.containers {
		if !d.byAgent(ct) {
			continue
		}
		env, read := known[ct.id]
		id := identityOfAgent(c.identityOf(place{pod: p, container: ct, workload: ref, decided: d}, language.Runtime{}, env))
		if !read {
			// The environment, which wins, was not looked at yet: the agent has done that.
			delete(id.Attributes, telemetry.ServiceName)
			delete(id.Attributes, telemetry.ServiceVersion)
		}
		id.Probes = ct.probes
		if all == nil {
			all = make(map[string]agentIdentity)
		}
		all[ct.name] = id
	}
	return all
}

// ownSDKs finds the containers whose agents all stepped aside for an SDK of the application's: it sends to where
// the agent would have, since it has the same settings. The odiglet reports such a container, so nobody else may.
func ownSDKs(instances []attach.Instance) map[string]bool {
	own := make(map[string]bool)
	for _, in := range instances {
		if in.Agent == nil || string(in.Runtime.Language) != handover.Language(in.Agent.Agent()) {
			continue // a shell beside the program
		}
		id := in.Process.Container.ID
		before, seen := own[id]
		own[id] = in.Agent.State() == odiv1.AgentOwnSDK && (before || !seen)
	}
	return own
}

// processesOf finds, by container, the environment that names its service: that of the
// oldest process with an agent, since a container is one instance.
func processesOf(instances []attach.Instance) map[string]map[string]string {
	oldest := make(map[string]attach.Instance)
	for _, in := range instances {
		id := in.Process.Container.ID
		if in.Agent == nil || id == "" {
			continue
		}
		have, ok := oldest[id]
		if !ok || cmp.Compare(in.Process.Start, have.Process.Start) < 0 {
			oldest[id] = in
		}
	}
	env := make(map[string]map[string]string, len(oldest))
	for id, in := range oldest {
		env[id] = in.Env
	}
	return env
}

// identityOfAgent is what the agent does not know itself, or is not believed in.
func identityOfAgent(p identity.Pod) agentIdentity {
	id := agentIdentity{Attributes: make(map[string]string)}
	resource := identity.OfPod(p).PlaceResource()
	for key, value := range resource.Attributes().All() {
		if list, ok := value.AsRaw().([]any); ok {
			for _, v := range list {
				if text, ok := v.(string); ok {
					if id.Lists == nil {
						id.Lists = make(map[string][]string)
					}
					id.Lists[key] = append(id.Lists[key], text)
				}
			}
			continue
		}
		id.Attributes[key] = value.AsString()
	}
	return id
}
