package instrumentor

import (
	"fmt"
	"net"
	"strconv"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
)

// Decision is what the pods of a workload get.
type Decision struct {
	// Workload that the pod is of; its kind and name become attributes of what the agents send.
	Workload workload.Reference
	// Containers that get an agent; the others stay as they are.
	Containers []Container
	// Signals that are wanted; none means all.
	Signals []odiv1.Signal
	// Sampling is the share of traces that are recorded; empty means all.
	Sampling string
	Endpoint Endpoint
	Delivery Delivery
	// Canary is the admission request that took the canary slot; empty for any other pod.
	Canary string
}

// Container is a container that gets an agent.
type Container struct {
	Name  string
	Agent odiv1.AgentReference
	// Runtime that was seen in it, if any.
	Runtime odiv1.Runtime
	// Environment are names of variables that its processes were seen to have, wherever they come from.
	Environment []string
}

// Endpoint is where agents send.
type Endpoint struct {
	// Host resolves where Kubernetes' names do, Address is taken elsewhere; empty when unknown.
	Host, Address string
	Port          int
}

// agentsPort is the node collectors' receiver for agents.
const agentsPort = 4318

// EndpointIn is the Service that leads to the node's own collector, of an odi that is installed in a namespace.
func EndpointIn(namespace, address string) Endpoint {
	return Endpoint{Host: "odi-agents." + namespace + ".svc", Address: address, Port: agentsPort}
}

func (e Endpoint) url(byName bool) string {
	host := e.Address
	if byName {
		host = e.Host
	}
	if host == "" {
		return ""
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(e.Port))
}

// Delivery is how an agent's files come into a pod.
type Delivery string

// The deliveries.
const (
	// InitContainer copies them into an emptyDir before the application starts. Works everywhere.
	InitContainer Delivery = "init-container"
	// ImageVolume mounts the agent's image itself, which the API server and every node must be able to.
	ImageVolume Delivery = "image-volume"
	// DeliveryAuto means an image volume where the API server and every node take one, else an init container.
	DeliveryAuto Delivery = "auto"
)

// Set reads a delivery from a command line.
func (d *Delivery) Set(text string) error {
	switch Delivery(text) {
	case InitContainer, ImageVolume, DeliveryAuto:
		*d = Delivery(text)
		return nil
	}
	return fmt.Errorf("%q is none of %s, %s, %s", text, DeliveryAuto, InitContainer, ImageVolume)
}

// Skip is something that was left as it is, and why.
type Skip struct {
	// Container that gets nothing; empty for the whole pod.
	Container string
	// Reason is one word, Message a sentence for the user.
	Reason, Message string
}

// The reasons for leaving a pod or a container as it is, beside those of the languages (language.Objection).
const (
	SkipSaysNo        = "PodSaysNo"
	SkipMirrorPod     = "MirrorPod"
	SkipWindows       = "Windows"
	SkipTooLarge      = "PodTooLarge"
	SkipNoContainer   = "NoSuchContainer"
	SkipNoAgent       = "NoAgent"
	SkipOtherAgent    = "OtherAgentInjected"
	SkipNameTaken     = "NameTaken"
	SkipPathTaken     = "PathTaken"
	SkipNameUnknown   = "ServiceNameUnknown"
	SkipNoAddress     = "NoAddress"
	SkipNoStorage     = "NoStorageHeadroom"
	SkipBadAgent      = "BadAgent"
	SkipHasNoSpec     = "NotAPod"
	skipOtherMessage  = "It has the agent %s already; remove the variable ODI_AGENT and what belongs to it from the pod template."
	skipWindowsAnswer = "Agents are for Linux."
)

// room finds the language room of an agent; nil when there is none that injects.
func room(name string) *language.Language {
	for i := range languages.All {
		if l := &languages.All[i]; l.Name == name && l.Inject != nil {
			return l
		}
	}
	return nil
}

// Languages names those that have an agent.
func Languages() []string {
	var names []string
	for _, l := range languages.All {
		if l.Inject != nil {
			names = append(names, l.Name)
		}
	}
	return names
}

// Has says whether a language has an agent.
func Has(name string) bool { return room(name) != nil }

// Newest is the newest version of odi's agent for a language; empty when there is none.
func Newest(name string) string {
	if l := room(name); l != nil && len(l.Agents) > 0 {
		return l.Agents[0].Version
	}
	return ""
}

// Image is odi's own image of an agent.
func Image(repository, name, version string) string {
	return repository + "/odi-agent-" + name + ":" + version
}
