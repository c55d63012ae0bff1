package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Method is how a container is made to produce telemetry.
// +kubebuilder:validation:Enum=Auto;eBPF;Agent;None
type Method string

// The methods.
const (
	// MethodAuto lets odi choose per container.
	MethodAuto Method = "Auto"
	// MethodEBPF attaches eBPF probes to the running process; nothing restarts.
	MethodEBPF Method = "eBPF"
	// MethodAgent injects a language agent at the next rollout.
	MethodAgent Method = "Agent"
	// MethodNone switches instrumentation off.
	MethodNone Method = "None"
)

// Signal is one kind of telemetry.
// +kubebuilder:validation:Enum=traces;metrics;logs
type Signal string

// The signals.
const (
	SignalTraces  Signal = "traces"
	SignalMetrics Signal = "metrics"
	SignalLogs    Signal = "logs"
)

// WorkloadKind is one of the kinds below, or the Kind.group of another controller that owns
// pods, for example Rollout.argoproj.io; core stands for the group that has no name.
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:Pattern=`^(Deployment|StatefulSet|DaemonSet|CronJob|Job|ReplicaSet|ReplicationController|Pod|[A-Z][A-Za-z0-9]*([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)+)$`
type WorkloadKind string

// The workload kinds. A ReplicaSet or a Pod is a workload when nothing else owns it.
const (
	KindDeployment            WorkloadKind = "Deployment"
	KindStatefulSet           WorkloadKind = "StatefulSet"
	KindDaemonSet             WorkloadKind = "DaemonSet"
	KindCronJob               WorkloadKind = "CronJob"
	KindJob                   WorkloadKind = "Job"
	KindReplicaSet            WorkloadKind = "ReplicaSet"
	KindReplicationController WorkloadKind = "ReplicationController"
	KindPod                   WorkloadKind = "Pod"
)

// WorkloadReference names one workload in the namespace of the referring object.
type WorkloadReference struct {
	// kind of the workload.
	Kind WorkloadKind `json:"kind"`
	// name of the workload.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// Target says which workloads of the namespace a config applies to. Empty means all of them.
// +kubebuilder:validation:XValidation:rule="has(self.kind) == has(self.name)",message="kind and name go together"
// +kubebuilder:validation:XValidation:rule="!(has(self.name) && has(self.selector))",message="give kind and name, or selector, not both"
// +kubebuilder:validation:XValidation:rule="!has(self.selector) || !has(self.selector.matchExpressions) || self.selector.matchExpressions.all(e, e.operator in ['In', 'NotIn'] ? has(e.values) && size(e.values) > 0 : e.operator in ['Exists', 'DoesNotExist'] && (!has(e.values) || size(e.values) == 0))",fieldPath=".selector",message="operator is In or NotIn with values, or Exists or DoesNotExist without"
type Target struct {
	// kind of the one workload to select; needs name.
	// +optional
	Kind WorkloadKind `json:"kind,omitempty"`
	// name of the one workload to select; needs kind.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// selector matches workloads by their own labels; one of another controller by those of what it made.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// ContainerOverride changes the method for one container of the selected workloads.
type ContainerOverride struct {
	// name of the container.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// method for this container.
	Method Method `json:"method"`
}

// RolloutMode says who restarts pods, so that they get the agent that was decided.
// +kubebuilder:validation:Enum=Auto;Manual
type RolloutMode string

// The rollout modes.
const (
	// RolloutAuto lets odi evict pods: first one, then the rest at the workload's own pace.
	RolloutAuto RolloutMode = "Auto"
	// RolloutManual evicts nothing: pods get the agent when something else makes them anew.
	RolloutManual RolloutMode = "Manual"
)

// AgentChoice is the user's choice of the agent for one language.
type AgentChoice struct {
	// language that the choice is about: java, python, nodejs, dotnet.
	// +kubebuilder:validation:Enum=java;python;nodejs;dotnet
	Language string `json:"language"`
	// version of the agent, one of those that this odi knows; empty for the newest that fits the runtime.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z][0-9A-Za-z._-]*$`
	Version string `json:"version,omitempty"`
	// image with the agent instead of odi's own; it holds what docs/agents.md says.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^[^\s]+$`
	Image string `json:"image,omitempty"`
}

// HTTP says how HTTP requests are named and which are left out.
type HTTP struct {
	// ignored are request paths, exact or ending in *, that give no spans. Metrics still count them.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^/[^*]*[*]?$`
	// +listType=set
	Ignored []string `json:"ignored,omitempty"`
	// routes name the requests that a workload serves: a parameter is written {name}, and a star at
	// the end takes all that is below, as in /users/{name} and /files/*. A word goes before a parameter,
	// a parameter before a star. Requests that none of them fits are named after routes that odi learns.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^(/[^/{}*?#;\s]*(\{[A-Za-z_][A-Za-z0-9_]*\}[^/{}*?#;\s]*)?)*(/[*])?$`
	// +listType=set
	Routes []string `json:"routes,omitempty"`
	// queryKeys are keys of queries whose values are shown, in url.query and url.full. The values of all others are
	// REDACTED, but for those that say which page of a list is asked for. Capitals do not matter. A key that a query has
	// encoded is written as it stands there, as in filter%5Bname%5D. Agents have settings of their own for queries.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^[^&=#?\s]+$`
	// +listType=set
	QueryKeys []string `json:"queryKeys,omitempty"`
}

// Sampling says which traces are recorded. It is decided where a trace begins, and everything that the trace comes to
// keeps to that, by the flag in traceparent: a trace is recorded whole or not at all. Metrics count every request.
type Sampling struct {
	// ratio of the traces that begin in the selected workloads, from 0 to 1, for example "0.1"; empty is all of them.
	// Agents have it from when their pod is made.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^(0|1|0[.][0-9]{1,6}|1[.]0{1,6})$`
	Ratio string `json:"ratio,omitempty"`
	// rules give the traces that certain requests begin a ratio of their own; the first that fits counts, before
	// ratio. They are for eBPF, and for requests of HTTP/1: what begins with another protocol, gRPC and HTTP/2 among
	// them, goes by ratio, and so does what a container with an agent begins.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	Rules []SamplingRule `json:"rules,omitempty"`
}

// SamplingRule says how many of the traces are recorded that some requests begin.
type SamplingRule struct {
	// method of the request, in capitals; empty is any.
	// +optional
	// +kubebuilder:validation:MaxLength=7
	// +kubebuilder:validation:Pattern=`^[A-Z]*$`
	Method string `json:"method,omitempty"`
	// path of the request without its query, exact, or the beginning of paths where it ends in *, as in /orders/*. It
	// is compared with what the request says, byte by byte.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=129
	// +kubebuilder:validation:Pattern=`^/[!"$-)+->@-~]*[*]?$`
	// +kubebuilder:validation:XValidation:rule="size(self) <= 128 || self.endsWith('*')",message="a path has at most 128 characters"
	Path string `json:"path"`
	// ratio of the traces that such requests begin, from 0 to 1, for example "0".
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^(0|1|0[.][0-9]{1,6}|1[.]0{1,6})$`
	Ratio string `json:"ratio"`
}

// Propagation says whether eBPF writes the trace context into what the selected workloads send.
// +kubebuilder:validation:Enum=Auto;None
type Propagation string

// The choices.
const (
	// PropagationAuto writes traceparent into outgoing requests, where that is sure to change nothing else of them.
	PropagationAuto Propagation = "Auto"
	// PropagationNone leaves what is sent as it is. Requests that come with a traceparent still have their parent.
	PropagationNone Propagation = "None"
)

// InstrumentationConfigSpec says what to instrument and how.
type InstrumentationConfigSpec struct {
	// target selects the workloads; empty selects every workload of the namespace.
	// +optional
	// +kubebuilder:default={}
	Target Target `json:"target,omitempty"`
	// method for every container of the selected workloads.
	// +optional
	// +kubebuilder:default=Auto
	Method Method `json:"method,omitempty"`
	// containers overrides the method by container name.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	Containers []ContainerOverride `json:"containers,omitempty"`
	// rollout says whether odi may evict pods so that they get a language agent. eBPF needs no rollout.
	// Unless it is said, odi evicts one pod after the other, but never the only pod of a workload;
	// with Auto that one too.
	// +optional
	Rollout RolloutMode `json:"rollout,omitempty"`
	// agents chooses versions or images of language agents; a language that is not named gets odi's own.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	// +listType=map
	// +listMapKey=language
	Agents []AgentChoice `json:"agents,omitempty"`
	// signals to produce. Default: traces and metrics. Logs are what agents for Java send of an application.
	// +optional
	// +kubebuilder:default={traces,metrics}
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	// +listType=set
	Signals []Signal `json:"signals,omitempty"`
	// sampling says which traces are recorded.
	// +optional
	Sampling Sampling `json:"sampling,omitzero"`
	// propagation says whether eBPF writes traceparent into outgoing requests; with None it touches no connection,
	// and whoever is called begins a trace of its own. Agents write it themselves, whatever is said here.
	// +optional
	// +kubebuilder:default=Auto
	Propagation Propagation `json:"propagation,omitempty"`
	// http says how HTTP requests are treated.
	// +optional
	HTTP HTTP `json:"http,omitempty"`
}

// InstrumentationConfigStatus counts what the config selected.
type InstrumentationConfigStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// workloads is how many workloads this config won.
	// +optional
	Workloads int32 `json:"workloads,omitempty"`
	// instrumented is how many of them produce telemetry.
	// +optional
	Instrumented int32 `json:"instrumented,omitempty"`
	// conditions: Ready, Reconciling, Stalled.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// InstrumentationConfig selects workloads of its namespace and says how they are instrumented.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=ic,categories=odi
// +kubebuilder:selectablefield:JSONPath=`.spec.method`
// +kubebuilder:printcolumn:name="Kind",type=string,JSONPath=`.spec.target.kind`
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.target.name`
// +kubebuilder:printcolumn:name="Method",type=string,JSONPath=`.spec.method`
// +kubebuilder:printcolumn:name="Workloads",type=integer,JSONPath=`.status.workloads`
// +kubebuilder:printcolumn:name="Instrumented",type=integer,JSONPath=`.status.instrumented`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type InstrumentationConfig struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is what the user wants.
	// +optional
	// +kubebuilder:default={}
	Spec InstrumentationConfigSpec `json:"spec,omitempty"`
	// status is what odi made of it.
	// +optional
	Status InstrumentationConfigStatus `json:"status,omitempty"`
}

// InstrumentationConfigList is a list of InstrumentationConfig.
// +kubebuilder:object:root=true
type InstrumentationConfigList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`
	// items of the list.
	Items []InstrumentationConfig `json:"items"`
}
