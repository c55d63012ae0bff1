// Package nodeapi holds the answers of an odiglet's small query API: live detail
// that belongs in no Kubernetes object. The odiglet serves it inside its pod alone;
// `odi describe` asks for it as `kubectl port-forward` does, so that only who may
// create pods/portforward in odi's namespace gets an answer.
package nodeapi

// Port is where every odiglet listens, on Host of its pod.
const (
	Host = "127.0.0.1"
	Port = 8091
)

// Paths of the query API. ProcessesPath and RoutesPath take the query parameters
// namespace, kind and name of a workload; each may be left out.
const (
	NodePath      = "/v1/node"
	ProcessesPath = "/v1/processes"
	RoutesPath    = "/v1/routes"
)

// Node is what an odiglet says of itself.
type Node struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Kernel  string `json:"kernel"`
	// Features is the feature ladder.
	Features []Feature `json:"features"`
	Books    Books     `json:"books"`
	// ExportError is what the node collector said last; empty while it takes the data.
	ExportError string `json:"exportError,omitempty"`
}

// Feature is one step of the ladder.
type Feature struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// Books are the books of the odiglet since it started: seen = sent + queued + dropped.
type Books struct {
	Seen    uint64            `json:"seen"`
	Sent    uint64            `json:"sent"`
	Queued  uint64            `json:"queued"`
	Dropped map[string]uint64 `json:"dropped,omitempty"`
	// Incomplete counts, by reason, the requests that have their span without a part.
	Incomplete map[string]uint64 `json:"incomplete,omitempty"`
	// Whose says by reason how many of these were of which service, as far as it is known.
	Whose map[string]map[string]uint64 `json:"whose,omitempty"`
}

// Processes is the answer to a query for processes.
type Processes struct {
	Processes []Process `json:"processes"`
}

// Routes is the answer to a query for routes, the most used first.
type Routes struct {
	Routes []Route `json:"routes"`
	// More is how many routes were left out, because the answer is bounded.
	More int `json:"more,omitempty"`
}

// Route is one route of a service that a workload's processes are part of.
type Route struct {
	Service string `json:"service"`
	// Server is whom the service asked, as address:port; empty for what it serves itself.
	Server string `json:"server,omitempty"`
	Route  string `json:"route"`
	// Requests counts those that this node's odiglet saw since it started.
	Requests uint64 `json:"requests"`
}

// Process is one process of a selected workload.
type Process struct {
	PID        int    `json:"pid"`
	Executable string `json:"executable"`

	Namespace string `json:"namespace"`
	Kind      string `json:"kind"`
	Workload  string `json:"workload"`
	Pod       string `json:"pod"`
	Container string `json:"container"`

	Runtime string `json:"runtime,omitempty"`
	Version string `json:"version,omitempty"`

	Attached bool `json:"attached"`
	// Service is the service.name of its spans.
	Service string `json:"service,omitempty"`
	// Error is the latest failure to instrument it.
	Error string `json:"error,omitempty"`
	// Trust says how its outgoing requests are linked: goroutine, thread, strict, moved or proxy.
	Trust string `json:"trust,omitempty"`
	// Note says why its outgoing requests have no parents, and what would give them some.
	Note string `json:"note,omitempty"`
	// ClientSpans counts outgoing requests, LinkedClientSpans those with a parent.
	ClientSpans       uint64 `json:"clientSpans"`
	LinkedClientSpans uint64 `json:"linkedClientSpans"`
	// OpenRequests is the number of requests without an answer yet.
	OpenRequests int `json:"openRequests"`
}
