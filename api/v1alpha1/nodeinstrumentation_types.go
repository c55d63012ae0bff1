package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// FeatureState is a step of the feature ladder.
// +kubebuilder:validation:Enum=Active;Degraded;Unavailable
type FeatureState string

// The feature states.
const (
	// FeatureActive means that all of it works.
	FeatureActive FeatureState = "Active"
	// FeatureDegraded means that part of it works; the reason says which.
	FeatureDegraded FeatureState = "Degraded"
	// FeatureUnavailable means that this kernel or container lacks what it needs.
	FeatureUnavailable FeatureState = "Unavailable"
)

// Feature is one capability of the odiglet on its node.
type Feature struct {
	// name of the feature, for example SocketSpans, Connections, Propagation, GoLinks, ProcessEvents.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// state of the feature.
	State FeatureState `json:"state"`
	// reason says why it is not Active, in a sentence.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Reason string `json:"reason,omitempty"`
}

// ContainerFact is what the odiglet sees of one container name of one workload on its node.
type ContainerFact struct {
	// namespace of the workload.
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`
	// workload that the container's pods belong to.
	Workload WorkloadReference `json:"workload"`
	// container name.
	// +kubebuilder:validation:MaxLength=63
	Container string `json:"container"`
	// runtime that was detected; its language is empty while unknown.
	// +optional
	Runtime Runtime `json:"runtime,omitempty"`
	// pods of the workload on this node whose container runs.
	// +optional
	Pods int32 `json:"pods,omitempty"`
	// attachedPods of them have an instrumented process in the container, and none that failed to be, or has
	// waited for it for more than ten seconds.
	// +optional
	AttachedPods int32 `json:"attachedPods,omitempty"`
	// processes of the container on this node.
	// +optional
	Processes int32 `json:"processes,omitempty"`
	// attached is how many of them are instrumented.
	// +optional
	Attached int32 `json:"attached,omitempty"`
	// agent is what became of the language agent on this node.
	// +optional
	Agent AgentFact `json:"agent,omitzero"`
	// start is what a decision about an agent needs to know.
	// +optional
	Start StartFacts `json:"start,omitzero"`
	// answers are what the container answered on this node, with the agent and without, while its pods are
	// watched for what agents do to them; the oldest first.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	Answers []Answers `json:"answers,omitempty"`
	// tls is what is known of the connections that the container encrypts on this node.
	// +optional
	TLS TLSFact `json:"tls,omitzero"`
	// error is the latest failure to instrument, in a sentence.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Error string `json:"error,omitempty"`
}

// TLSFact is what is known of the connections that a container encrypts.
type TLSFact struct {
	// readBy is the library whose plaintext odi reads, for example OpenSSL; empty where it reads none.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	ReadBy string `json:"readBy,omitempty"`
	// unreadSince is when a process was first seen to encrypt, of which odi reads no library: what it says there
	// gives no spans.
	// +optional
	UnreadSince *metav1.Time `json:"unreadSince,omitempty"`
}

// NodeInstrumentationStatus is what one odiglet reports. The object has no spec: nobody asks a node for anything.
type NodeInstrumentationStatus struct {
	// odigletVersion that wrote this.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	OdigletVersion string `json:"odigletVersion,omitempty"`
	// kernel release of the node.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Kernel string `json:"kernel,omitempty"`
	// attached is how many processes of the node are instrumented.
	// +optional
	Attached int32 `json:"attached,omitempty"`
	// features is the feature ladder.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	Features []Feature `json:"features,omitempty"`
	// containers holds the facts, one per workload and container name, at most 4096.
	// +optional
	// +kubebuilder:validation:MaxItems=4096
	// +listType=atomic
	Containers []ContainerFact `json:"containers,omitempty"`
	// truncated is how many facts did not fit.
	// +optional
	Truncated int32 `json:"truncated,omitempty"`
	// conditions: Ready. It is Unknown while the odiglet says nothing: then nothing here is known to be so any more.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// NodeInstrumentation is what the odiglet of the node of the same name can do and sees.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=ni,categories=odi
// +kubebuilder:printcolumn:name="Kernel",type=string,JSONPath=`.status.kernel`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.odigletVersion`
// +kubebuilder:printcolumn:name="Attached",type=integer,JSONPath=`.status.attached`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type NodeInstrumentation struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// status is what the odiglet reports.
	// +optional
	Status NodeInstrumentationStatus `json:"status,omitempty"`
}

// NodeInstrumentationList is a list of NodeInstrumentation.
// +kubebuilder:object:root=true
type NodeInstrumentationList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items of the list.
	Items []NodeInstrumentation `json:"items"`
}
