package probe

// Feature is one capability of the engine and what this kernel makes of it.
type Feature struct {
	Name  FeatureName
	State State
	// Reason is a sentence for a user; it is empty while the feature is Active.
	Reason string
}

// FeatureName names a capability. Capabilities fail one by one: one that is
// unavailable never stops another.
type FeatureName string

// The capabilities, in the order in which they are reported.
const (
	// SocketSpans sees requests on sockets. Without it there are no spans.
	SocketSpans FeatureName = "SocketSpans"
	// ProcessEvents reports starts and ends of processes as they happen.
	ProcessEvents FeatureName = "ProcessEvents"
	// Connections counts how TCP connections are doing.
	Connections FeatureName = "Connections"
	// Propagation writes traceparent into outgoing requests.
	Propagation FeatureName = "Propagation"
	// GoLinks ties outgoing requests of net/http, and calls of grpc-go, to the goroutine that asked.
	GoLinks FeatureName = "GoLinks"
)

// State says whether a feature works.
type State string

// The states of a feature.
const (
	Active      State = "Active"
	Degraded    State = "Degraded"
	Unavailable State = "Unavailable"
)
