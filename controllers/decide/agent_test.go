package decide

import (
	"strings"
	"testing"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
)

// aSpring is a container that gets an agent: each row takes something away from it.
func aSpring() Container {
	return Container{
		Name: "app", Wanted: odiv1.MethodAgent, Config: "all", InTemplate: true,
		Runtime:   odiv1.Runtime{Language: "java", Version: "17.0.9", Libc: "glibc"},
		Agent:     languages.Agent{Release: language.Release{Version: "2-odi.1"}, Valid: []string{"2-odi.1", "1-odi.1"}},
		Reference: odiv1.AgentReference{Language: "java", Version: "2-odi.1", Image: "example.test/odi-agent-java:2-odi.1"},
		Template:  kube.ContainerTemplate{MemoryLimit: 512 * mebibyte, CPULimit: 1000, StartWithin: time.Minute},
		Start:     odiv1.StartFacts{Memory: 200 * mebibyte},
		Started:   8 * time.Second,
		Images:    []string{"app@sha256:1"},
	}
}

func TestAgent(t *testing.T) {
	for name, tc := range map[string]struct {
		change     func(*Container)
		wantMethod odiv1.Method
		wantReason string
		wantWords  string
	}{
		"nothing objects": {func(*Container) {}, odiv1.MethodAgent, "Agent", "New pods get the agent java@2-odi.1"},
		"Windows":         {func(c *Container) { c.Windows = true }, odiv1.MethodNone, "Windows", "The pods run Windows"},
		"another agent": {func(c *Container) { c.Runtime.OtherAgent = "Datadog" }, odiv1.MethodEBPF, "OtherAgentPresent",
			"without Datadog it gets odi's agent"},
		"eBPF is pinned for it": {func(c *Container) { c.Wanted, c.Overridden = odiv1.MethodEBPF, true }, odiv1.MethodEBPF, "EBPF", "nothing restarts"},
		"Auto is eBPF":          {func(c *Container) { c.Wanted = odiv1.MethodAuto }, odiv1.MethodEBPF, "EBPF", "nothing restarts"},
		"an unknown version": {func(c *Container) { c.Agent.Refusal, c.Choice.Version = languages.UnknownVersion, "9" }, odiv1.MethodEBPF,
			"UnknownAgentVersion", "asks for version 9 of the agent for java, which this odi does not know; it knows: 2-odi.1, 1-odi.1"},
		"an unknown version, where pods have an agent": {func(c *Container) {
			c.Agent.Refusal, c.Current = languages.UnknownVersion, odiv1.ContainerDecision{Method: odiv1.MethodAgent}
		}, odiv1.MethodAgent, "UnknownAgentVersion", "it knows: 2-odi.1"},
		"the template refuses": {func(c *Container) { c.Refuses = true }, odiv1.MethodEBPF, "InjectionRefused", `odi.dev/inject: "false"`},
		"an init container":    {func(c *Container) { c.Init = true }, odiv1.MethodEBPF, "InitContainer", "no init containers"},
		"an unknown language":  {func(c *Container) { c.Runtime = odiv1.Runtime{} }, odiv1.MethodEBPF, "RuntimeUnknown", "as soon as"},
		"a language without agent": {func(c *Container) { c.Agent.Refusal, c.Runtime.Language = languages.NoAgent, "go" }, odiv1.MethodEBPF,
			"NoAgentForLanguage", "There is no agent for go"},
		"a language whose agent the user brings": {func(c *Container) {
			c.Agent.Refusal, c.Runtime.Language, c.Imageable = languages.NoAgent, "dotnet", true
		}, odiv1.MethodEBPF, "NoAgentForLanguage", "spec.agents[].image"},
		"an old runtime": {func(c *Container) {
			c.Agent.Refusal, c.Agent.Supported, c.Runtime.Version = languages.UnsupportedRuntime, "from 8", "7.0.80"
		}, odiv1.MethodEBPF, "UnsupportedVersion", "works with java from 8, and this is 7.0.80"},
		"a runtime of unknown version": {func(c *Container) {
			c.Agent.Refusal, c.Agent.Supported, c.Runtime.Version = languages.UnsupportedRuntime, "from 8", ""
		}, odiv1.MethodEBPF, "UnsupportedVersion", "this is of unknown version"},
		"a static runtime": {func(c *Container) { c.Runtime.Libc = "static" }, odiv1.MethodEBPF, "UnsupportedLibc", "glibc or musl"},
		"a program with rights of its own": {func(c *Container) { c.Start.Secure = true }, odiv1.MethodEBPF, "SecureExecution",
			"without them it gets an agent"},
		"the image sets one of Java's two variables": {func(c *Container) { c.Start.Environment = []string{"JAVA_TOOL_OPTIONS"} },
			odiv1.MethodAgent, "Agent", ""},
		"the image sets both": {func(c *Container) { c.Start.Environment = []string{"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"} },
			odiv1.MethodEBPF, "EnvSetInImage", "JAVA_TOOL_OPTIONS is set by the image or by envFrom"},
		"Java 8 has one": {func(c *Container) {
			c.Runtime.Version, c.Start.Environment = "8.0.392", []string{"JAVA_TOOL_OPTIONS"}
		}, odiv1.MethodEBPF, "EnvSetInImage", "with that value in the pod template"},
		"the pod sets it": {func(c *Container) {
			c.Runtime.Version, c.Start.Environment = "8.0.392", []string{"JAVA_TOOL_OPTIONS"}
			c.Template.Environment = []kube.Variable{{Name: "JAVA_TOOL_OPTIONS"}}
		}, odiv1.MethodAgent, "Agent", ""},
		"a Secret sets it": {func(c *Container) {
			c.Runtime.Language, c.Template.Environment = "nodejs", []kube.Variable{{Name: "NODE_OPTIONS", Elsewhere: true}}
		}, odiv1.MethodEBPF, "EnvFromElsewhere", "with the value itself in the pod template, it can."},
		"another variable is made of it": {func(c *Container) {
			c.Runtime.Language = "nodejs"
			c.Template.Environment = []kube.Variable{{Name: "NODE_OPTIONS"}, {Name: "ALL", Value: "$(NODE_OPTIONS)"}}
		}, odiv1.MethodEBPF, "EnvReferenced", "NODE_OPTIONS is used by another variable or by the command"},
		"the command is made of it": {func(c *Container) {
			c.Runtime.Language, c.Template.Words = "python", []string{"$(PYTHONPATH)"}
		}, odiv1.MethodEBPF, "EnvReferenced", "without that reference"},
		"the command is made of another one": {func(c *Container) {
			c.Runtime.Language, c.Template.Words = "python", []string{"$(NODE_OPTIONS)"}
		}, odiv1.MethodAgent, "Agent", ""},
		"another profiler of .NET": {func(c *Container) {
			c.Runtime.Language, c.Template.Environment = "dotnet", []kube.Variable{{Name: "CORECLR_PROFILER", Value: "{1}"}}
		}, odiv1.MethodEBPF, "OtherProfiler", "names another profiler"},
		"one of .NET's variables is the image's": {func(c *Container) {
			c.Runtime.Language, c.Start.Environment = "dotnet", []string{"DOTNET_STARTUP_HOOKS"}
		}, odiv1.MethodEBPF, "EnvSetInImage", "DOTNET_STARTUP_HOOKS is set by the image or by envFrom"},
		"a Job without retries": {func(c *Container) { c.NoRetries = true }, odiv1.MethodEBPF, "JobWithoutRetries", "backoffLimit above 0"},
		"no pull secret": {func(c *Container) { c.NeededSecret, c.PullSecrets = "registry", []string{"other"} }, odiv1.MethodEBPF,
			"PullSecretMissing", "needs the pull secret registry"},
		"the pull secret": {func(c *Container) { c.NeededSecret, c.PullSecrets = "registry", []string{"registry"} }, odiv1.MethodAgent, "Agent", ""},
		"too little memory": {func(c *Container) { c.Start.Memory = 363 * mebibyte }, odiv1.MethodEBPF, "NoMemoryHeadroom",
			"up to 150 MiB; the container was seen to use 363 MiB, and its limit is 512 MiB. A limit of 513 MiB or more is enough."},
		"just enough memory": {func(c *Container) { c.Start.Memory = 362 * mebibyte }, odiv1.MethodAgent, "Agent", ""},
		"Python needs less": {func(c *Container) { c.Runtime.Language, c.Start.Memory = "python", 442*mebibyte },
			odiv1.MethodAgent, "Agent", ""},
		"no limit": {func(c *Container) { c.Template.MemoryLimit, c.Start.Memory = 0, 9000*mebibyte }, odiv1.MethodAgent, "Agent", ""},
		"memory that a pod with the agent has": {func(c *Container) {
			c.Start.Memory, c.Current = 500*mebibyte, odiv1.ContainerDecision{Method: odiv1.MethodAgent, Agent: c.Reference}
		}, odiv1.MethodAgent, "Agent", ""},
		"a slow start": {func(c *Container) { c.Template.CPULimit = 250 }, odiv1.MethodEBPF, "StartTooSlowForProbe",
			"starts in 8s, to which the agent adds 1m4s with its CPU limit, and a probe ends it after 1m0s"},
		"a start just in time": {func(c *Container) { c.Template.StartWithin = 24 * time.Second }, odiv1.MethodAgent, "Agent", ""},
		"no probe":             {func(c *Container) { c.Template.StartWithin, c.Template.CPULimit = 0, 100 }, odiv1.MethodAgent, "Agent", ""},
		"a quick agent":        {func(c *Container) { c.Runtime.Language, c.Template.StartWithin = "nodejs", 10*time.Second }, odiv1.MethodAgent, "Agent", ""},
		"it failed before": {func(c *Container) { c.Failures = []odiv1.AgentFailure{failure("app@sha256:1")} }, odiv1.MethodEBPF,
			"AgentFailedBefore", "java@2-odi.1 failed with this image (AgentCrashLoop): It ended. Another image"},
		"it failed with an image that nothing runs any more": {func(c *Container) { c.Failures = []odiv1.AgentFailure{failure("app@sha256:0")} },
			odiv1.MethodAgent, "Agent", ""},
		"it failed, and no pod runs now": {func(c *Container) { c.Images, c.Failures = nil, []odiv1.AgentFailure{failure("app@sha256:0")} },
			odiv1.MethodEBPF, "AgentFailedBefore", ""},
		"another version failed": {func(c *Container) {
			f := failure("app@sha256:1")
			f.Agent = "java@1-odi.1"
			c.Failures = []odiv1.AgentFailure{f}
		}, odiv1.MethodAgent, "Agent", ""},
		"of two objections the first is told": {func(c *Container) { c.NoRetries, c.Start.Secure = true, true }, odiv1.MethodEBPF, "SecureExecution", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := aSpring()
			tc.change(&c)
			got := decide(Input{Containers: []Container{c}})[0]
			if got.Method != tc.wantMethod || got.Reason != tc.wantReason || !strings.Contains(got.Message, tc.wantWords) {
				t.Errorf("got %+v", got)
			}
			if !strings.HasSuffix(got.Message, ".") || len(got.Message) > 512 {
				t.Errorf("no sentence: %q", got.Message)
			}
			if got.Reason == "Agent" && got.Agent != c.Reference {
				t.Errorf("the agent is %+v", got.Agent)
			}
		})
	}
}

func failure(image string) odiv1.AgentFailure {
	return odiv1.AgentFailure{Container: "app", ImageID: image, Agent: "java@2-odi.1", Reason: "AgentCrashLoop", Message: "It ended."}
}
