package telemetry

import "slices"

// SchemaURL names the version of the semantic conventions that odi follows.
const SchemaURL = "https://opentelemetry.io/schemas/1.37.0"

// Distribution is telemetry.distro.name of everything that odi emits.
const Distribution = "odi"

// Scope names. That of spans is "odi/" and the protocol room.
const (
	ScopeRED          = "odi/red"
	ScopeFlows        = "odi/flows"
	ScopeGraph        = "odi/graph"
	ScopeCertificates = "odi/certificates"
)

// Resource attribute keys.
const (
	ServiceName       = "service.name"
	ServiceNamespace  = "service.namespace"
	ServiceVersion    = "service.version"
	ServiceInstanceID = "service.instance.id"

	SDKName       = "telemetry.sdk.name"
	SDKVersion    = "telemetry.sdk.version"
	SDKLanguage   = "telemetry.sdk.language"
	DistroName    = "telemetry.distro.name"
	DistroVersion = "telemetry.distro.version"

	DeploymentEnvironmentName = "deployment.environment.name"

	HostName              = "host.name"
	HostID                = "host.id"
	HostArch              = "host.arch"
	OSType                = "os.type"
	ProcessPID            = "process.pid"
	ProcessExecutableName = "process.executable.name"
	ContainerID           = "container.id"
	ContainerImageName    = "container.image.name"
	ContainerImageTags    = "container.image.tags"

	K8sNamespaceName  = "k8s.namespace.name"
	K8sPodName        = "k8s.pod.name"
	K8sPodUID         = "k8s.pod.uid"
	K8sPodIP          = "k8s.pod.ip"
	K8sClusterName    = "k8s.cluster.name"
	K8sClusterUID     = "k8s.cluster.uid"
	K8sContainerName  = "k8s.container.name"
	K8sNodeName       = "k8s.node.name"
	K8sReplicaSetName = "k8s.replicaset.name"
)

// Span and metric attribute keys.
const (
	HTTPRequestMethod      = "http.request.method"
	HTTPResponseStatusCode = "http.response.status_code"
	HTTPRoute              = "http.route"
	ErrorType              = "error.type"
	URLPath                = "url.path"
	URLFull                = "url.full"
	URLScheme              = "url.scheme"
	URLTemplate            = "url.template"
	ServerAddress          = "server.address"
	ServerPort             = "server.port"
	UserAgentOriginal      = "user_agent.original"
	TLSEstablished         = "tls.established"
	MetricOverflow         = "otel.metric.overflow"

	NetworkIODirection = "network.io.direction"
	// TCPRole is the side of its connections that a process is on: client or server.
	TCPRole = "odi.tcp.role"
	// TLSRole is the side that a process is on of those that show certificates, in the same words.
	TLSRole = "odi.tls.role"

	// LinkMethod says how the parent of a span was found: header,
	// goroutine, thread, single or proxy.
	LinkMethod = "odi.link.method"
)

// DurationBuckets are the bounds, in seconds, that the conventions advise for
// request durations.
func DurationBuckets() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
}

// SizeBuckets are the bounds, in bytes, of histograms of sizes. The conventions advise none.
func SizeBuckets() []float64 {
	return []float64{0, 128, 512, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20}
}

// Arch is the word of the conventions for one of Go's.
func Arch(goarch string) string {
	if goarch == "386" {
		return "x86"
	}
	return goarch
}

// wellKnownLanguages are the values that the conventions list for telemetry.sdk.language.
var wellKnownLanguages = []string{
	"cpp", "dotnet", "erlang", "go", "java", "nodejs", "php", "python", "ruby", "rust", "swift", "webjs",
}

// WellKnownLanguage returns a value of telemetry.sdk.language, or nothing for what
// the conventions have no word for, such as a server that is written in C.
func WellKnownLanguage(language string) string {
	if slices.Contains(wellKnownLanguages, language) {
		return language
	}
	return ""
}

// WorkloadNameKey returns the resource attribute that holds the name of a
// workload of that kind, for example k8s.deployment.name.
func WorkloadNameKey(kind string) string {
	switch kind {
	case "Deployment":
		return "k8s.deployment.name"
	case "StatefulSet":
		return "k8s.statefulset.name"
	case "DaemonSet":
		return "k8s.daemonset.name"
	case "CronJob":
		return "k8s.cronjob.name"
	case "Job":
		return "k8s.job.name"
	case "ReplicaSet":
		return K8sReplicaSetName
	case "ReplicationController":
		return "k8s.replicationcontroller.name"
	}
	return ""
}
