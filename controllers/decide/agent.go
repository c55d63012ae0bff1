package decide

import (
	"slices"
	"strings"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
)

// These checks are asked only where an agent is asked for. Each says what would change its mind.

// versionIsUnknown: the user pins a version that this odi does not have. Pods stay as they are,
// with the agent that they have if they have one.
func versionIsUnknown(c Container) *Verdict {
	if c.Agent.Refusal != languages.UnknownVersion {
		return nil
	}
	valid := "none"
	if len(c.Agent.Valid) > 0 {
		valid = strings.Join(c.Agent.Valid, ", ")
	}
	v := ebpf(odiv1.ReasonUnknownAgentVersion, "InstrumentationConfig %s asks for version %s of the agent for %s, which this odi does not know; it knows: %s.",
		c.Config, c.Choice.Version, c.Runtime.Language, valid)
	if c.Current.Method == odiv1.MethodAgent {
		v.Method = odiv1.MethodAgent
	}
	return v
}

// templateRefuses: whoever owns the workload said no to any agent.
func templateRefuses(c Container) *Verdict {
	if !c.Refuses {
		return nil
	}
	return ebpf(odiv1.ReasonInjectionRefused,
		"The pod template has the annotation %s: \"false\"; without it the container gets an agent.", odiv1.AnnotationInject)
}

// containerPasses: it ends before the others start, and its work is done in seconds.
func containerPasses(c Container) *Verdict {
	if !c.Init {
		return nil
	}
	return ebpf(odiv1.ReasonInitContainer, "Only containers that are no init containers get agents.")
}

// runtimeIsUnknown: no process was seen yet, or none that was recognised.
func runtimeIsUnknown(c Container) *Verdict {
	if c.Runtime.Language != "" {
		return nil
	}
	return ebpf(odiv1.ReasonRuntimeUnknown, "The language is not known yet; the agent is chosen as soon as an odiglet has seen a process of it.")
}

// languageHasNoAgent: odi has none, or needs an image of the user's.
func languageHasNoAgent(c Container) *Verdict {
	switch {
	case c.Agent.Refusal != languages.NoAgent:
		return nil
	case c.Imageable:
		return ebpf(odiv1.ReasonNoAgentForLanguage, "odi brings no agent for %s; spec.agents[].image of the InstrumentationConfig can name one.", c.Runtime.Language)
	}
	return ebpf(odiv1.ReasonNoAgentForLanguage, "There is no agent for %s; eBPF instruments it.", c.Runtime.Language)
}

// versionIsUnsupported: an agent in the wrong runtime can keep the application from starting.
func versionIsUnsupported(c Container) *Verdict {
	if c.Agent.Refusal != languages.UnsupportedRuntime {
		return nil
	}
	version := c.Runtime.Version
	if version == "" {
		version = "of unknown version"
	}
	return ebpf(odiv1.ReasonUnsupportedVersion, "The agent works with %s %s, and this is %s.", c.Runtime.Language, c.Agent.Supported, version)
}

// libcIsUnsupported: a runtime without a loader loads nothing.
func libcIsUnsupported(c Container) *Verdict {
	if c.Runtime.Libc != "static" {
		return nil
	}
	return ebpf(odiv1.ReasonUnsupportedLibc, "The runtime is linked statically; agents need glibc or musl.")
}

// processIsSecure: what agents are told by environment variables is ignored.
func processIsSecure(c Container) *Verdict {
	if !c.Start.Secure {
		return nil
	}
	return ebpf(odiv1.ReasonSecureExecution,
		"The program gains rights when it starts (set-user-ID or file capabilities), so that its runtime ignores the environment; without them it gets an agent.")
}

// environmentIsTaken asks who would inject the agent, before any pod is evicted for it.
func environmentIsTaken(c Container) *Verdict {
	room, found := languages.Of(language.Name(c.Runtime.Language))
	if !found || room.Inject == nil {
		return nil
	}
	env := make([]language.Variable, 0, len(c.Template.Environment))
	for _, v := range c.Template.Environment {
		env = append(env, language.Variable{Name: v.Name, Value: v.Value, Elsewhere: v.Elsewhere})
	}
	_, objection := room.Inject(language.Injection{
		Root:    language.Root(room.Name, c.Agent.Release),
		Version: c.Runtime.Version, Libc: language.Libc(c.Runtime.Libc),
		Env: env, Hidden: c.Start.Environment, Words: c.Template.Words,
	})
	if objection == nil {
		return nil
	}
	return ebpf(objection.Reason, "%s", objection.Message)
}

// jobHasNoRetries: an agent that fails would cost the work itself.
func jobHasNoRetries(c Container) *Verdict {
	if !c.NoRetries {
		return nil
	}
	return ebpf(odiv1.ReasonJobWithoutRetries,
		"The first pod that fails ends the Job; with a backoffLimit above 0, or restartPolicy OnFailure, the next run gets an agent.")
}

// pullSecretIsMissing: a pod that cannot pull the agent does not start.
func pullSecretIsMissing(c Container) *Verdict {
	if c.NeededSecret == "" || slices.Contains(c.PullSecrets, c.NeededSecret) {
		return nil
	}
	return ebpf(odiv1.ReasonPullSecretMissing, "The agent's image %s needs the pull secret %s, which the pods do not have (imagePullSecrets, or those of their ServiceAccount).",
		c.Reference.Image, c.NeededSecret)
}

const mebibyte = 1 << 20

// memoryIsShort: the container would be killed for its memory. One that has the agent proved that it is not.
func memoryIsShort(c Container) *Verdict {
	need := languages.CostOf(language.Name(c.Runtime.Language)).Memory
	limit := c.Template.MemoryLimit
	if c.has() || limit == 0 || limit-c.Start.Memory >= need {
		return nil
	}
	return ebpf(odiv1.ReasonNoMemoryHeadroom, "The agent needs up to %d MiB; the container was seen to use %d MiB, and its limit is %d MiB. A limit of %d MiB or more is enough.",
		need/mebibyte, c.Start.Memory/mebibyte, limit/mebibyte, (c.Start.Memory+need+mebibyte-1)/mebibyte)
}

// startIsTooSlow: the kubelet would end the container before it has started, for ever.
func startIsTooSlow(c Container) *Verdict {
	budget := c.Template.StartWithin
	if c.has() || budget == 0 {
		return nil
	}
	added := languages.CostOf(language.Name(c.Runtime.Language)).StartWith(c.Template.CPULimit)
	if c.Started+added <= budget {
		return nil
	}
	return ebpf(odiv1.ReasonStartTooSlow, "The container starts in %s, to which the agent adds %s with its CPU limit, and a probe ends it after %s; more CPU, or a startupProbe that waits for %s, is enough.",
		c.Started.Round(time.Second/10), added, budget, (c.Started+added).Round(time.Second)+time.Second)
}

// agentFailedBefore: it is not tried again with the same image.
func agentFailedBefore(c Container) *Verdict {
	agent := c.Reference.Language + "@" + c.Reference.Version
	for _, f := range c.Failures {
		if f.Container != c.Name || f.Agent != agent {
			continue
		}
		if f.ImageID != "" && len(c.Images) > 0 && !slices.Contains(c.Images, f.ImageID) {
			continue
		}
		const mostWords = 200
		words := f.Message
		if len(words) > mostWords {
			words = strings.ToValidUTF8(words[:mostWords], "") + "..."
		}
		return ebpf(odiv1.ReasonAgentFailedBefore, "%s failed with this image (%s): %s Another image of the container, or another version of the agent, is tried anew.",
			agent, f.Reason, words)
	}
	return nil
}
