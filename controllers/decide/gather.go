package decide

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
	"github.com/odi-dev/odi/languages"
	"github.com/odi-dev/odi/languages/language"
)

// Input is all that a decision about one workload depends on.
type Input struct {
	Containers []Container
}

// Container is all that the decision about one container depends on.
type Container struct {
	Name string
	// Wanted is the method that the user asked for, and Config where.
	Wanted odiv1.Method
	Config string
	// Overridden means that the config names this very container.
	Overridden bool
	// InTemplate is false for a container that something added to the pods.
	InTemplate bool
	// Init is set for init containers, also for those that run on beside the others.
	Init bool
	// Runtime is zero until an odiglet has seen a process of the container.
	Runtime odiv1.Runtime
	// Windows, Refuses and NoRetries are what the template says of all its containers.
	Windows, Refuses, NoRetries bool
	// Template is what it says of this one; Start what was seen of its processes.
	Template kube.ContainerTemplate
	Start    odiv1.StartFacts
	// Started is how long the container took to be ready; 0 when no pod told.
	Started time.Duration
	// Choice of the user for the language, and the Agent that there is; Reference names it.
	Choice    languages.Choice
	Agent     languages.Agent
	Imageable bool
	Reference odiv1.AgentReference
	// NeededSecret is without which the agent's image cannot be pulled; PullSecrets are what pods have.
	NeededSecret string
	PullSecrets  []string
	// Images are those that pods run the container with; Failures those of the workload.
	Images   []string
	Failures []odiv1.AgentFailure
	// Current is the decision so far.
	Current odiv1.ContainerDecision
}

// has says whether the agent was decided already, so that pods may have it.
func (c Container) has() bool {
	return c.Current.Method == odiv1.MethodAgent && c.Current.Agent == c.Reference
}

// gather reads what the decision depends on. It is nil when the config or the
// workload has gone: select will notice and delete the InstrumentedWorkload.
func (c *Controller) gather(ctx context.Context, iw *odiv1.InstrumentedWorkload) (*Input, error) {
	var config odiv1.InstrumentationConfig
	err := c.client.Get(ctx, types.NamespacedName{Namespace: iw.Namespace, Name: iw.Spec.Config}, &config)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the config of %s/%s: %w", iw.Namespace, iw.Name, err)
	}
	ref := workload.In(iw.Namespace, iw.Spec.Workload)
	w, found, err := kube.FindWorkload(ctx, c.client, ref)
	if err != nil || !found {
		return nil, err
	}
	facts := facts{workload: w, config: config, iw: iw, installation: c.config}
	if facts.agentIsAskedFor() {
		pods, err := kube.PodsOf(ctx, c.client, ref)
		if err != nil {
			return nil, err
		}
		facts.pods = seenOf(pods)
	}
	return &Input{Containers: containers(facts)}, nil
}

// facts are what was read.
type facts struct {
	workload     kube.Workload
	config       odiv1.InstrumentationConfig
	iw           *odiv1.InstrumentedWorkload
	installation kube.Config
	pods         seen
}

func (f facts) agentIsAskedFor() bool {
	return f.config.Spec.Method == odiv1.MethodAgent ||
		slices.ContainsFunc(f.config.Spec.Containers, func(o odiv1.ContainerOverride) bool { return o.Method == odiv1.MethodAgent })
}

// containers lists those of the template in its order, then those seen besides.
func containers(f facts) []Container {
	var list []Container
	listed := map[string]bool{}
	add := func(name string, inTemplate bool) {
		if !listed[name] {
			listed[name] = true
			list = append(list, f.container(name, inTemplate))
		}
	}
	for _, name := range f.workload.Containers {
		add(name, true)
	}
	for _, s := range f.iw.Status.Containers {
		add(s.Name, false)
	}
	return list
}

func (f facts) container(name string, inTemplate bool) Container {
	t := f.workload.Template
	c := Container{Name: name, Wanted: f.config.Spec.Method, Config: f.config.Name, InTemplate: inTemplate, Windows: t.Windows}
	for _, o := range f.config.Spec.Containers {
		if o.Name == name {
			c.Wanted, c.Overridden = o.Method, true
		}
	}
	for _, s := range f.iw.Status.Containers {
		if s.Name == name {
			c.Runtime, c.Start = s.Runtime, s.Start
		}
	}
	for _, d := range f.iw.Spec.Containers {
		if d.Name == name {
			c.Current = d
		}
	}
	if c.Wanted != odiv1.MethodAgent {
		return c
	}
	c.Refuses, c.NoRetries = t.Refuses, t.NoRetries
	var beside bool
	c.Template, beside = t.Containers[name]
	c.Init = inTemplate && !beside
	c.Failures = f.iw.Status.Rollout.Failures
	c.Images, c.Started = f.pods.images[name], f.pods.started[name]
	c.PullSecrets = slices.Concat(t.PullSecrets, f.pods.pullSecrets)
	f.choose(&c)
	return c
}

// choose finds the agent for the container's runtime.
func (f facts) choose(c *Container) {
	spoken := c.Runtime.Language
	if spoken == "" {
		return
	}
	for _, choice := range f.config.Spec.Agents {
		if choice.Language == spoken {
			c.Choice = languages.Choice{Version: choice.Version, Image: choice.Image}
		}
	}
	c.Imageable = languages.CanHaveAgent(language.Name(spoken))
	c.Agent = languages.AgentFor(language.Runtime{Language: language.Name(spoken), Version: c.Runtime.Version}, c.Choice)
	if c.Agent.Refusal != languages.Granted {
		return
	}
	c.Reference = odiv1.AgentReference{Language: spoken, Version: c.Agent.Release.Version, Image: c.Choice.Image}
	if c.Choice.Image == "" {
		c.Reference.Image = f.installation.AgentImage(spoken, c.Agent.Release.Version)
		c.NeededSecret = f.installation.AgentPullSecret
	}
}
