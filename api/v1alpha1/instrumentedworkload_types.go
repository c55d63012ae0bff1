package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ContainerDecision is how one container is instrumented and why. Written by controllers/decide.
type ContainerDecision struct {
	// name of the container.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// method that odi chose. Never Auto.
	// +kubebuilder:validation:XValidation:rule="self != 'Auto'",message="a decision is eBPF, Agent or None"
	Method Method `json:"method"`
	// reason is one word for the choice.
	// +kubebuilder:validation:MaxLength=63
	Reason string `json:"reason"`
	// message says the reason in a sentence.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Message string `json:"message,omitempty"`
}

// InstrumentedWorkloadSpec is what odi decided for one workload. odi writes it; users read it.
type InstrumentedWorkloadSpec struct {
	// workload in the same namespace.
	Workload WorkloadReference `json:"workload"`
	// config is the name of the InstrumentationConfig that won.
	// +kubebuilder:validation:MaxLength=253
	Config string `json:"config"`
	// signals to produce.
	// +optional
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	Signals []Signal `json:"signals,omitempty"`
	// ignoredPaths give no spans; see InstrumentationConfig spec.http.ignored.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=set
	IgnoredPaths []string `json:"ignoredPaths,omitempty"`
	// routes name requests; see InstrumentationConfig spec.http.routes.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=256
	// +listType=set
	Routes []string `json:"routes,omitempty"`
	// containers holds one decision per container. A container without a decision is not instrumented.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	Containers []ContainerDecision `json:"containers,omitempty"`
}

// Runtime is what runs in a container, as detected.
type Runtime struct {
	// language in OpenTelemetry's words (telemetry.sdk.language), or the name of a known server.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Language string `json:"language,omitempty"`
	// version of the language's runtime; empty when unknown.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Version string `json:"version,omitempty"`
	// libc that the process is linked with.
	// +optional
	// +kubebuilder:validation:Enum=glibc;musl;static;unknown
	Libc string `json:"libc,omitempty"`
	// otherAgent names another vendor's agent or SDK that is active in the process.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	OtherAgent string `json:"otherAgent,omitempty"`
}

// ContainerStatus is what was seen of one container on all nodes. Written by controllers/facts.
type ContainerStatus struct {
	// name of the container.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// runtime that was detected.
	// +optional
	Runtime Runtime `json:"runtime,omitempty"`
	// processes is how many processes were seen.
	// +optional
	Processes int32 `json:"processes,omitempty"`
	// attached is how many of them are instrumented.
	// +optional
	Attached int32 `json:"attached,omitempty"`
	// lastError is the latest failure to instrument, in a sentence.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	LastError string `json:"lastError,omitempty"`
}

// InstrumentedWorkloadStatus is what became of the decision.
type InstrumentedWorkloadStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// runtimes is a short list for people, for example "go 1.26.8, nginx".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Runtimes string `json:"runtimes,omitempty"`
	// methods is a short list for people, for example "eBPF".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Methods string `json:"methods,omitempty"`
	// pods is how many running pods the workload has.
	// +optional
	Pods int32 `json:"pods,omitempty"`
	// instrumentedPods is how many of them have every chosen container instrumented.
	// +optional
	InstrumentedPods int32 `json:"instrumentedPods,omitempty"`
	// containers holds what was seen, per container.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	Containers []ContainerStatus `json:"containers,omitempty"`
	// conditions: Selected, RuntimeDetected, Decided, Instrumented.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// InstrumentedWorkload is one selected workload: what runs in it, what was decided, and
// whether it produces telemetry. It answers "what is instrumented, and why not".
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=iw,categories=odi
// +kubebuilder:selectablefield:JSONPath=`.spec.config`
// +kubebuilder:printcolumn:name="Kind",type=string,JSONPath=`.spec.workload.kind`
// +kubebuilder:printcolumn:name="Workload",type=string,JSONPath=`.spec.workload.name`
// +kubebuilder:printcolumn:name="Runtime",type=string,JSONPath=`.status.runtimes`
// +kubebuilder:printcolumn:name="Method",type=string,JSONPath=`.status.methods`
// +kubebuilder:printcolumn:name="Pods",type=integer,JSONPath=`.status.pods`
// +kubebuilder:printcolumn:name="Instrumented",type=string,JSONPath=`.status.conditions[?(@.type=="Instrumented")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Instrumented")].reason`
// +kubebuilder:printcolumn:name="Config",type=string,priority=1,JSONPath=`.spec.config`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Instrumented")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type InstrumentedWorkload struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is the decision.
	Spec InstrumentedWorkloadSpec `json:"spec"`
	// status is what became of it.
	// +optional
	Status InstrumentedWorkloadStatus `json:"status,omitempty"`
}

// InstrumentedWorkloadList is a list of InstrumentedWorkload.
// +kubebuilder:object:root=true
type InstrumentedWorkloadList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items of the list.
	Items []InstrumentedWorkload `json:"items"`
}
