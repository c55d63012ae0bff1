package instrumentor

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/languages/language"
)

// Result is what a pod gets.
type Result struct {
	// Patch gives it to the pod; empty when nothing changes.
	Patch []Operation
	// Agents that the pod has with the patch, as container=language@version in the order of the decision.
	Agents []string
	// Skips are what was left as it is.
	Skips []Skip
}

// Bounds of what the API server takes, with room for what comes after this webhook.
const (
	maxPod         = 1 << 20
	maxAnnotations = 256 << 10
)

// Inject returns what a pod of the bytes gets by a decision. It reads nothing else, and a pod that has it
// already gets nothing more. An error means that the bytes are no pod.
func Inject(raw []byte, d Decision) (Result, error) {
	v, err := read(raw)
	if err != nil {
		return Result{}, err
	}
	if skip := v.refuses(len(raw)); skip != nil {
		return Result{Skips: []Skip{*skip}}, nil
	}
	in := &injection{view: v, decision: d}
	for i, c := range d.Containers {
		if slices.ContainsFunc(d.Containers[:i], func(o Container) bool { return o.Name == c.Name }) {
			continue // One decision counts.
		}
		if skip := in.container(c); skip != nil {
			skip.Container = c.Name
			in.result.Skips = append(in.result.Skips, *skip)
		}
	}
	if len(in.agents) == 0 && len(in.edits) == 0 {
		return in.result, nil
	}
	in.finish()
	if len(in.result.Patch) > 0 && in.tooLarge(len(raw)) {
		return Result{Skips: []Skip{{Reason: SkipTooLarge, Message: "The pod has no room for more: it is near the size that Kubernetes takes."}}}, nil
	}
	return in.result, nil
}

// refuses says why nothing of a pod may be changed.
func (v *view) refuses(size int) *Skip {
	switch spec := v.pod.Spec; {
	case v.raw.Spec == nil || len(spec.Containers) == 0:
		return &Skip{Reason: SkipHasNoSpec, Message: "It has no containers."}
	case strings.EqualFold(strings.TrimSpace(v.pod.Annotations[odiv1.AnnotationInject]), "false"):
		return &Skip{Reason: SkipSaysNo, Message: "The pod has the annotation " + odiv1.AnnotationInject + ": false."}
	case v.pod.Annotations[corev1.MirrorPodAnnotationKey] != "":
		return &Skip{Reason: SkipMirrorPod, Message: "It is the copy of a static pod, which its node makes."}
	case v.isWindows():
		return &Skip{Reason: SkipWindows, Message: skipWindowsAnswer}
	case size > maxPod:
		return &Skip{Reason: SkipTooLarge, Message: "The pod is larger than odi changes."}
	}
	return nil
}

// injection is Inject at work.
type injection struct {
	*view
	decision Decision
	agents   []*agent // whose files the pod has to get
	edits    []Operation
	result   Result
}

// container decides about one container; nil when it has its agent now.
func (in *injection) container(c Container) *Skip {
	p, found := in.find(c.Name)
	if !found {
		return &Skip{Reason: SkipNoContainer, Message: "The pod has no container of the name."}
	}
	l := room(c.Agent.Language)
	if l == nil {
		return &Skip{Reason: SkipNoAgent, Message: fmt.Sprintf("There is no agent for %q.", c.Agent.Language)}
	}
	if !goodVersion.MatchString(c.Agent.Version) || !goodImage.MatchString(c.Agent.Image) {
		return &Skip{Reason: SkipBadAgent, Message: "The agent's version or image is none."}
	}
	name := c.Agent.Language + "@" + c.Agent.Version
	env := p.environment()
	if i := slices.IndexFunc(env, func(e language.Variable) bool { return e.Name == envAgent }); i >= 0 {
		if env[i].Value != name {
			return &Skip{Reason: SkipOtherAgent, Message: fmt.Sprintf(skipOtherMessage, env[i].Value)}
		}
		in.result.Agents = append(in.result.Agents, c.Name+"="+name)
		return nil
	}
	own, skip := in.agentFor(c, p)
	if skip != nil {
		return skip
	}
	added, skip := in.environmentOf(c, p, l, env)
	if skip != nil {
		return skip
	}
	if !slices.Contains(in.agents, own) {
		in.agents = append(in.agents, own)
	}
	in.edits = append(in.edits, added...)
	in.edits = append(in.edits, in.mount(p, own))
	in.result.Agents = append(in.result.Agents, c.Name+"="+name)
	return nil
}

var (
	goodVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	goodImage   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}$`)
)

// finish puts the patch together. Init containers come last, since what is put in front of them moves them.
func (in *injection) finish() {
	patch := in.edits
	patch = append(patch, in.annotations()...)
	patch = append(patch, in.deliver()...)
	in.result.Patch = patch
}

func (in *injection) annotations() []Operation {
	wanted := [][2]string{{odiv1.AnnotationAgents, strings.Join(in.result.Agents, ",")}}
	if in.decision.Canary != "" {
		wanted = append(wanted, [2]string{odiv1.AnnotationCanary, in.decision.Canary})
	}
	if len(in.pod.Annotations) > 0 {
		var out []Operation
		for _, a := range wanted {
			out = append(out, add(a[1], "metadata", "annotations", a[0]))
		}
		return out
	}
	all := map[string]string{}
	for _, a := range wanted {
		all[a[0]] = a[1]
	}
	if in.raw.Metadata == nil {
		return []Operation{add(map[string]any{"annotations": all}, "metadata")}
	}
	return []Operation{add(all, "metadata", "annotations")}
}

// tooLarge says whether the API server might refuse the pod for what was added.
func (in *injection) tooLarge(size int) bool {
	text, err := json.Marshal(in.result.Patch)
	annotations := len(strings.Join(in.result.Agents, ",")) + len(odiv1.AnnotationAgents) + len(odiv1.AnnotationCanary) + len(in.decision.Canary)
	for key, value := range in.pod.Annotations {
		annotations += len(key) + len(value)
	}
	return err != nil || size+len(text) > maxPod || annotations > maxAnnotations
}
