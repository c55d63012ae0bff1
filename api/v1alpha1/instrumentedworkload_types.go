package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AgentReference names the agent that a container gets.
type AgentReference struct {
	// language of the agent: java, python, nodejs, dotnet.
	// +kubebuilder:validation:MaxLength=63
	Language string `json:"language"`
	// version of the agent.
	// +kubebuilder:validation:MaxLength=63
	Version string `json:"version"`
	// image that holds the agent's files.
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image"`
}

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
	// agent that new pods get, where the method is Agent.
	// +optional
	Agent AgentReference `json:"agent,omitzero"`
}

// RolloutStage says which pods of a workload get the decided agents.
// +kubebuilder:validation:Enum=None;Canary;All
type RolloutStage string

// The rollout stages.
const (
	// RolloutStageNone keeps every pod as its template says.
	RolloutStageNone RolloutStage = "None"
	// RolloutStageCanary lets one pod have the agents: the one that takes the slot.
	RolloutStageCanary RolloutStage = "Canary"
	// RolloutStageAll lets every new pod have the agents.
	RolloutStageAll RolloutStage = "All"
)

// RolloutPlan is what the pod webhook obeys. Written by controllers/rollout.
type RolloutPlan struct {
	// revision is a hash of the decided agents; a changed one starts at the canary again.
	// +kubebuilder:validation:MaxLength=63
	Revision string `json:"revision"`
	// stage of this revision.
	Stage RolloutStage `json:"stage"`
	// slot is a number that grows with every canary slot that is offered.
	// +optional
	Slot int64 `json:"slot,omitempty"`
	// watchUntil is how long the odiglets tell what pods answer, with their agents and without.
	// +optional
	WatchUntil metav1.Time `json:"watchUntil,omitzero"`
}

// CanaryClaim is a canary slot that was taken. Written by the pod webhook, under the object's resourceVersion.
type CanaryClaim struct {
	// revision and slot of the plan that the claim is for.
	// +kubebuilder:validation:MaxLength=63
	Revision string `json:"revision"`
	// slot of the plan that the claim is for.
	Slot int64 `json:"slot"`
	// request is the UID of the admission request that took it; the pod carries it in an annotation.
	// +kubebuilder:validation:MaxLength=63
	Request string `json:"request"`
	// at is when it was taken.
	At metav1.Time `json:"at"`
}

// AgentFailure is an agent that did not work with an image, and is not tried again with it.
type AgentFailure struct {
	// container that it failed in.
	// +kubebuilder:validation:MaxLength=63
	Container string `json:"container"`
	// imageID of the container, with its digest.
	// +kubebuilder:validation:MaxLength=512
	ImageID string `json:"imageID"`
	// agent as language@version.
	// +kubebuilder:validation:MaxLength=127
	Agent string `json:"agent"`
	// reason is one word.
	// +kubebuilder:validation:MaxLength=63
	Reason string `json:"reason"`
	// message says it in a sentence, with the container's last words where there are any.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
	// at is when it failed.
	At metav1.Time `json:"at"`
}

// RolloutStatus is how far the agents came.
type RolloutStatus struct {
	// phase: Waiting, Canary, Soaking, RollingOut, Done, RollingBack, RolledBack, Manual.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Phase string `json:"phase,omitempty"`
	// since is when the phase began.
	// +optional
	Since metav1.Time `json:"since,omitzero"`
	// pods with the decided agents, of the workload's pods.
	// +optional
	Pods int32 `json:"pods,omitempty"`
	// evicted is the UID of the pod that was evicted last; each is evicted at most once.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Evicted string `json:"evicted,omitempty"`
	// evictedAt is when that pod was chosen, which is before it was evicted.
	// +optional
	EvictedAt metav1.Time `json:"evictedAt,omitzero"`
	// attempts is how often in a row pods were evicted and what came for them had no agent.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// usualStart is how many seconds pods without agents took to be ready.
	// +optional
	UsualStart int32 `json:"usualStart,omitempty"`
	// errorRates say for which containers the agent was judged by its error rate.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=container
	ErrorRates []ErrorRate `json:"errorRates,omitempty"`
	// failures are at most 16, the newest first.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	Failures []AgentFailure `json:"failures,omitempty"`
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
	// samplingRatio of the traces that begin here; see InstrumentationConfig spec.sampling.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	SamplingRatio string `json:"samplingRatio,omitempty"`
	// samplingRules go before samplingRatio; see InstrumentationConfig spec.sampling.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	SamplingRules []SamplingRule `json:"samplingRules,omitempty"`
	// propagation is None where eBPF writes nothing into outgoing requests; see InstrumentationConfig spec.propagation.
	// +optional
	Propagation Propagation `json:"propagation,omitempty"`
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
	// queryKeys are keys of queries whose values are shown; see InstrumentationConfig spec.http.queryKeys.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	QueryKeys []string `json:"queryKeys,omitempty"`
	// containers holds one decision per container. A container without a decision is not instrumented.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	Containers []ContainerDecision `json:"containers,omitempty"`
	// rollout says which pods get the agents that were decided; absent where no container gets one.
	// +optional
	Rollout *RolloutPlan `json:"rollout,omitempty"`
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

// AgentState is what became of the agent in the processes of a container.
// +kubebuilder:validation:Enum=Pending;Alive;Failed;Unsupported;OwnSDK;SeesNothing
type AgentState string

// The agent states, the least good last.
const (
	// AgentPending means that the process has the agent's settings and has not said how it started.
	AgentPending AgentState = "Pending"
	// AgentAlive means that the agent said that it started.
	AgentAlive AgentState = "Alive"
	// AgentUnsupported means that the agent stepped aside: the runtime is not one of its own.
	AgentUnsupported AgentState = "Unsupported"
	// AgentOwnSDK means that the agent stepped aside for an SDK of the application.
	AgentOwnSDK AgentState = "OwnSDK"
	// AgentFailed means that the agent could not start; the application runs on without it.
	AgentFailed AgentState = "Failed"
	// AgentSeesNothing means that requests were served and the agent reported none of them.
	AgentSeesNothing AgentState = "SeesNothing"
)

// AgentFact is what was seen of agents in a container.
type AgentFact struct {
	// agent as language@version, as the processes say.
	// +optional
	// +kubebuilder:validation:MaxLength=127
	Agent string `json:"agent,omitempty"`
	// state of the least good of its processes.
	// +optional
	State AgentState `json:"state,omitempty"`
	// processes that have the agent.
	// +optional
	Processes int32 `json:"processes,omitempty"`
}

// StartFacts are what a decision about an agent needs to know of a container that runs without one.
type StartFacts struct {
	// environment lists those names of variables that agents use which the processes have, at most 16. Never values.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=63
	// +listType=set
	Environment []string `json:"environment,omitempty"`
	// secure means that the loader ignores the environment (AT_SECURE).
	// +optional
	Secure bool `json:"secure,omitempty"`
	// memory is the most bytes that a container of the name was seen to use.
	// +optional
	Memory int64 `json:"memory,omitempty"`
}

// Answers counts the requests that a container answered in five seconds, by whether its process had the agent that
// was decided. One fails whose status is 500 or more.
type Answers struct {
	// at is when the five seconds began.
	At metav1.Time `json:"at"`
	// agent is how many processes with the agent answered.
	// +optional
	Agent int64 `json:"agent,omitempty"`
	// agentFailed of them failed.
	// +optional
	AgentFailed int64 `json:"agentFailed,omitempty"`
	// plain is how many processes without it answered.
	// +optional
	Plain int64 `json:"plain,omitempty"`
	// plainFailed of them failed.
	// +optional
	PlainFailed int64 `json:"plainFailed,omitempty"`
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
	// agent is what became of the language agent.
	// +optional
	Agent AgentFact `json:"agent,omitzero"`
	// start is what a decision about an agent needs to know.
	// +optional
	Start StartFacts `json:"start,omitzero"`
	// answers are what the container answered in the last minute, with the agent and without; the oldest first.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	Answers []Answers `json:"answers,omitempty"`
	// before is what it answered without the agent while none had it: the latest such minute.
	// +optional
	Before *Answers `json:"before,omitempty"`
	// tls is what is known of the connections that it encrypts.
	// +optional
	TLS TLSFact `json:"tls,omitzero"`
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
	// rollout is how far the agents came. Written by controllers/rollout.
	// +optional
	Rollout RolloutStatus `json:"rollout,omitzero"`
	// canary is who took the canary slot. Written by the pod webhook.
	// +optional
	Canary *CanaryClaim `json:"canary,omitempty"`
	// conditions: Selected, RuntimeDetected, Decided, RolledOut, Instrumented.
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
// +kubebuilder:printcolumn:name="Rollout",type=string,JSONPath=`.status.rollout.phase`
// +kubebuilder:printcolumn:name="Pods",type=integer,JSONPath=`.status.pods`
// +kubebuilder:printcolumn:name="Instrumented",type=string,JSONPath=`.status.conditions[?(@.type=="Instrumented")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Instrumented")].reason`
// +kubebuilder:printcolumn:name="Config",type=string,priority=1,JSONPath=`.spec.config`
// +kubebuilder:printcolumn:name="Agent",type=string,priority=1,JSONPath=`.spec.containers[?(@.method=="Agent")].agent.version`
// +kubebuilder:printcolumn:name="Agents of pods",type=integer,priority=1,JSONPath=`.status.rollout.pods`
// +kubebuilder:printcolumn:name="Why",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="RolledOut")].message`
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
