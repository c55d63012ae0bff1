package kube

import (
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Template is what a decision about language agents depends on in a workload's pod template.
type Template struct {
	// Windows is set for pods of that system.
	Windows bool
	// Refuses is set where the template has the annotation odi.dev/inject with the value false.
	Refuses bool
	// PullSecrets are those that the template names; a ServiceAccount may add more.
	PullSecrets []string
	// NoRetries is set for Jobs that a first failure ends.
	NoRetries bool
	// Containers that run beside each other, by name; none of those that end before the others start.
	Containers map[string]ContainerTemplate
}

// ContainerTemplate is one container of a template.
type ContainerTemplate struct {
	// Environment has, in their order, the variables that agents are told by, and those that refer to one.
	Environment []Variable
	// Words are the references to such variables in the command and its arguments.
	Words []string
	// MemoryLimit in bytes and CPULimit in thousandths of a CPU; 0 for none.
	MemoryLimit, CPULimit int64
	// StartWithin is how long the container may take to start before a probe ends it; 0 for ever.
	StartWithin time.Duration
}

// Variable is one of an environment.
type Variable struct {
	Name string
	// Value is no more than the references in it to variables that agents are told by: the cache keeps no values.
	// Of the class id of .NET's profiler, which tells whose it is, it is all.
	Value string
	// Elsewhere means that the value is not in the pod, so that nothing can be appended to it.
	Elsewhere bool
}

const profilerVariable = "CORECLR_PROFILER"

// agentVariables are the names of the environment variables that agents are told by.
var agentVariables = []string{
	"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "NODE_OPTIONS", "PYTHONPATH",
	profilerVariable, "DOTNET_STARTUP_HOOKS", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE",
}

// references leaves of a text, as Kubernetes or a shell writes them, those to variables that agents are told by.
func references(text string) string {
	if !strings.Contains(text, "$") {
		return ""
	}
	var found []string
	for _, name := range agentVariables {
		if strings.Contains(text, "$("+name+")") || strings.Contains(text, "${"+name) || strings.Contains(text, "$"+name) {
			found = append(found, "$("+name+")")
		}
	}
	return strings.Join(found, " ")
}

// readVariables reads of an environment what matters to agents.
func readVariables(env []corev1.EnvVar) []Variable {
	var all []Variable
	for _, e := range env {
		v := Variable{Name: e.Name, Value: references(e.Value), Elsewhere: e.ValueFrom != nil}
		if e.Name == profilerVariable {
			v.Value = e.Value
		}
		if v.Value != "" || slices.Contains(agentVariables, v.Name) {
			all = append(all, v)
		}
	}
	return all
}

// readWords reads of a command what matters to agents.
func readWords(words []string) []string {
	var all []string
	for _, word := range words {
		if found := references(word); found != "" {
			all = append(all, found)
		}
	}
	return all
}

// Pace is what the rollout of a workload depends on.
type Pace struct {
	// Desired is how many pods the workload wants; -1 where nobody says.
	Desired int32
	// Paused is set for a Deployment that makes no new pods for a changed template.
	Paused bool
	// OnDelete is set where the owner of the workload wants to end its pods by hand.
	OnDelete bool
	// Annotated is set where the template itself has the annotation of pods that got agents:
	// somebody copied a pod, and every pod that is made has it.
	Annotated bool
}

// readTemplate reads the template of an object of a known kind.
func readTemplate(obj client.Object, spec *corev1.PodSpec) Template {
	t := Template{
		Windows:    spec.OS != nil && spec.OS.Name == corev1.Windows,
		Refuses:    templateAnnotations(obj)[odiv1.AnnotationInject] == "false",
		NoRetries:  noRetries(obj, spec),
		Containers: map[string]ContainerTemplate{},
	}
	for _, secret := range spec.ImagePullSecrets {
		t.PullSecrets = append(t.PullSecrets, secret.Name)
	}
	for i := range spec.Containers {
		t.Containers[spec.Containers[i].Name] = readContainer(&spec.Containers[i])
	}
	return t
}

func readContainer(c *corev1.Container) ContainerTemplate {
	return ContainerTemplate{
		MemoryLimit: c.Resources.Limits.Memory().Value(),
		CPULimit:    c.Resources.Limits.Cpu().MilliValue(),
		StartWithin: startWithin(c),
		Environment: readVariables(c.Env),
		Words:       readWords(slices.Concat(c.Command, c.Args)),
	}
}

// startWithin is how long the kubelet lets a container be before it ends it: a startup probe keeps
// the liveness probe waiting.
func startWithin(c *corev1.Container) time.Duration {
	probe := c.StartupProbe
	if probe == nil {
		probe = c.LivenessProbe
	}
	if probe == nil {
		return 0
	}
	period, failures := probe.PeriodSeconds, probe.FailureThreshold
	if period == 0 {
		period = 10 // The API server's own default, for objects that never saw it.
	}
	if failures == 0 {
		failures = 3
	}
	return time.Duration(probe.InitialDelaySeconds+period*failures) * time.Second
}

// noRetries says whether the first pod that fails ends the work: one that fails because of an agent
// would have been the only one.
func noRetries(obj client.Object, spec *corev1.PodSpec) bool {
	limit := func(job *batchv1.JobSpec) bool {
		return job.BackoffLimit != nil && *job.BackoffLimit == 0 && spec.RestartPolicy == corev1.RestartPolicyNever
	}
	switch o := obj.(type) {
	case *batchv1.Job:
		return limit(&o.Spec)
	case *batchv1.CronJob:
		return limit(&o.Spec.JobTemplate.Spec)
	}
	return false
}

// readPace reads what is said of the pace.
func readPace(obj client.Object) Pace {
	p := Pace{Desired: -1}
	if template := templateOf(obj); template != nil {
		_, p.Annotated = template.Annotations[odiv1.AnnotationAgents]
	}
	replicas := func(r *int32) int32 {
		if r == nil {
			return 1
		}
		return *r
	}
	switch o := obj.(type) {
	case *appsv1.Deployment:
		p.Desired, p.Paused = replicas(o.Spec.Replicas), o.Spec.Paused
	case *appsv1.StatefulSet:
		p.Desired, p.OnDelete = replicas(o.Spec.Replicas), o.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType
	case *appsv1.DaemonSet:
		p.Desired, p.OnDelete = o.Status.DesiredNumberScheduled, o.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType
	case *appsv1.ReplicaSet:
		p.Desired = replicas(o.Spec.Replicas)
	case *corev1.ReplicationController:
		p.Desired = replicas(o.Spec.Replicas)
	}
	return p
}

// templateAnnotations are those that pods get from their workload; of a pod its own.
func templateAnnotations(obj client.Object) map[string]string {
	if pod, isPod := obj.(*corev1.Pod); isPod {
		return pod.Annotations
	}
	if template := templateOf(obj); template != nil {
		return template.Annotations
	}
	return nil
}

// templateOf is the pod template of an object; nil for a pod, which has none.
func templateOf(obj client.Object) *corev1.PodTemplateSpec {
	switch o := obj.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	case *appsv1.DaemonSet:
		return &o.Spec.Template
	case *batchv1.CronJob:
		return &o.Spec.JobTemplate.Spec.Template
	case *batchv1.Job:
		return &o.Spec.Template
	case *appsv1.ReplicaSet:
		return &o.Spec.Template
	case *corev1.ReplicationController:
		return o.Spec.Template
	}
	return nil
}
