package v1alpha1

// Names that more than one process relies on.
const (
	// LabelManagedBy marks every object that odi creates.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// ManagedByOdi is the value of LabelManagedBy.
	ManagedByOdi = "odi"
	// LabelComponent names the part of odi that an object belongs to.
	LabelComponent = "app.kubernetes.io/component"
	// AnnotationConfigHash is put on the gateway's pods, so that the kubelets bring
	// them a changed configuration soon. It is never put on a user's pod.
	AnnotationConfigHash = "odi.dev/config-hash"
	// AnnotationServiceName is the user's choice of service.name on a pod or
	// workload (the OpenTelemetry operator's convention).
	AnnotationServiceName = "resource.opentelemetry.io/service.name"
	// LabelUsableBy is how whoever owns a Secret lets odi read it: who may create a
	// Destination need not be allowed to see every Secret of the namespace.
	LabelUsableBy = "odi.dev/usable-by"
	// UsableByDestinations is the value of LabelUsableBy.
	UsableByDestinations = "destinations"
	// SecretTypeDestination is a type of Secrets that are for Destinations alone; they need no label.
	SecretTypeDestination = "odi.dev/destination"
	// AnnotationTestRequestedAt on a Destination asks for a test each time that its value changes. By custom it is a time.
	AnnotationTestRequestedAt = "odi.dev/test-requested-at"
	// AnnotationAgents is put on a pod by the webhook: what it injected, as container=language@version
	// with commas between.
	AnnotationAgents = "odi.dev/agents"
	// AnnotationCanary is put on a pod by the webhook: the admission request that took the canary slot.
	AnnotationCanary = "odi.dev/canary"
	// AnnotationInject with the value false, on a pod template, keeps every agent out of its pods.
	AnnotationInject = "odi.dev/inject"
	// LabelInject is put on a namespace whose pods the webhook is asked about.
	LabelInject = "odi.dev/inject"
	// ComponentOdiglet is the value of LabelComponent on what belongs to odiglets.
	ComponentOdiglet = "odiglet"
	// DefaultNamespace is where odi is installed unless the user chooses another.
	DefaultNamespace = "odi-system"
)

// OdigletLease is the name of the Lease, in odi's namespace, by which the odiglet of a node says that it lives.
func OdigletLease(node string) string { return ComponentOdiglet + "-" + node }

// Condition types. Each is written by exactly one controller.
const (
	// ConditionReady says whether the object does what it is for.
	ConditionReady = "Ready"
	// ConditionReconciling is True while a controller is still at work (kstatus).
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when only the user can make progress (kstatus).
	ConditionStalled = "Stalled"
	// ConditionSelected says which InstrumentationConfig selected a workload (controllers/select).
	ConditionSelected = "Selected"
	// ConditionRuntimeDetected says whether a runtime is known for every container (controllers/facts).
	ConditionRuntimeDetected = "RuntimeDetected"
	// ConditionDecided says whether every container has a method (controllers/decide).
	ConditionDecided = "Decided"
	// ConditionRolledOut says how far the decided agents came (controllers/rollout).
	ConditionRolledOut = "RolledOut"
	// ConditionInstrumented says whether probes are attached or agents alive (controllers/facts).
	ConditionInstrumented = "Instrumented"
	// ConditionExporting says whether a backend takes the data (controllers/destination).
	ConditionExporting = "Exporting"
	// ConditionTested: what came of the latest test of a Destination. Whoever tests writes it.
	ConditionTested = "Tested"
)

// Condition reasons.
const (
	ReasonSelected            = "Selected"
	ReasonNotSelected         = "NotSelected"
	ReasonWorkloadNotFound    = "WorkloadNotFound"
	ReasonNamespaceExcluded   = "NamespaceExcluded"
	ReasonNoWorkloads         = "NoWorkloads"
	ReasonOverridden          = "Overridden"
	ReasonNoPods              = "NoPods"
	ReasonWaitingForNode      = "WaitingForNode"
	ReasonRuntimeDetected     = "RuntimeDetected"
	ReasonRuntimeUnknown      = "RuntimeUnknown"
	ReasonMethodEBPF          = "EBPF"
	ReasonMethodNone          = "SwitchedOff"
	ReasonOtherAgentPresent   = "OtherAgentPresent"
	ReasonContainerIgnored    = "ContainerIgnored"
	ReasonInjectedSidecar     = "InjectedSidecar"
	ReasonDecided             = "Decided"
	ReasonAttached            = "Attached"
	ReasonAttaching           = "Attaching"
	ReasonAttachFailed        = "AttachFailed"
	ReasonFeatureUnavailable  = "FeatureUnavailable"
	ReasonAccepted            = "Accepted"
	ReasonInvalidConfig       = "InvalidConfig"
	ReasonSecretMissing       = "SecretMissing"
	ReasonSecretRefused       = "SecretRefused"
	ReasonTooMany             = "TooMany"
	ReasonKept                = "Kept"
	ReasonUnknownType         = "UnknownType"
	ReasonExporting           = "Exporting"
	ReasonNoData              = "NoData"
	ReasonExportFailing       = "ExportFailing"
	ReasonExportRefused       = "ExportRefused" // ExportFailing for a cause that waiting does not mend
	ReasonTestAccepted        = "TestAccepted"  // every signal was
	ReasonTestRefused         = "TestRefused"   // some signal was
	ReasonTestNotSent         = "TestNotSent"   // nothing could be sent, so nothing is known
	ReasonGatewayNotReady     = "GatewayNotReady"
	ReasonDisabled            = "Disabled"
	ReasonNotReady            = "NotReady"
	ReasonBackendNotReached   = "BackendNotReached"
	ReasonOdigletSilent       = "OdigletSilent"
	ReasonReconcileSucceeded  = "Succeeded"
	ReasonReconcileInProgress = "InProgress"
)

// Reasons of controllers/decide why a container has an agent, or has none although one was asked for.
const (
	ReasonMethodAgent         = "Agent"
	ReasonWindows             = "Windows"
	ReasonInitContainer       = "InitContainer"
	ReasonInjectionRefused    = "InjectionRefused"
	ReasonNoAgentForLanguage  = "NoAgentForLanguage"
	ReasonUnknownAgentVersion = "UnknownAgentVersion"
	ReasonUnsupportedVersion  = "UnsupportedVersion"
	ReasonUnsupportedLibc     = "UnsupportedLibc"
	ReasonSecureExecution     = "SecureExecution"
	ReasonEnvFromElsewhere    = "EnvFromElsewhere"
	ReasonEnvSetInImage       = "EnvSetInImage"
	ReasonNoMemoryHeadroom    = "NoMemoryHeadroom"
	ReasonStartTooSlow        = "StartTooSlowForProbe"
	ReasonPullSecretMissing   = "PullSecretMissing"
	ReasonJobWithoutRetries   = "JobWithoutRetries"
	ReasonAgentFailedBefore   = "AgentFailedBefore"
)

// Reasons of controllers/rollout.
const (
	ReasonRolledOut        = "RolledOut"
	ReasonRolloutManual    = "Manual"
	ReasonRolloutQueued    = "Queued"
	ReasonWaitingForPods   = "WaitingForPods"
	ReasonCanary           = "Canary"
	ReasonSoaking          = "Soaking"
	ReasonRollingOut       = "RollingOut"
	ReasonRollingBack      = "RollingBack"
	ReasonRemovingAgents   = "RemovingAgents"
	ReasonSingleReplica    = "SingleReplica"
	ReasonNotEvictable     = "NotEvictable"
	ReasonWorkloadPaused   = "WorkloadPaused"
	ReasonUpdateOnDelete   = "UpdateOnDelete"
	ReasonNextRun          = "NextRun"
	ReasonDisruptionBudget = "DisruptionBudget"
	ReasonPodsWithoutAgent = "PodsWithoutAgent"
	ReasonEvicted          = "Evicted"
	ReasonCrashLoop        = "AgentCrashLoop"
	ReasonOutOfMemory      = "AgentOutOfMemory"
	ReasonImagePullFailed  = "AgentImagePullFailed"
	ReasonContainerNotMade = "AgentContainerNotMade"
	ReasonNeverReady       = "AgentNeverReady"
	ReasonAgentFailed      = "AgentFailed"
	ReasonAgentUnsupported = "AgentUnsupported"
	ReasonAgentOwnSDK      = "AgentOwnSDK"
	ReasonAgentSeesNothing = "AgentSeesNothing"
	ReasonAgentErrorRate   = "AgentErrorRate"
)

// The phases of status.rollout.
const (
	PhaseWaiting     = "Waiting"
	PhaseCanary      = "Canary"
	PhaseSoaking     = "Soaking"
	PhaseRollingOut  = "RollingOut"
	PhaseDone        = "Done"
	PhaseRollingBack = "RollingBack"
	PhaseRolledBack  = "RolledBack"
	PhaseManual      = "Manual"
)
