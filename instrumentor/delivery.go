package instrumentor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/languages/language"
)

const (
	// nobody is the user of the init container where the application has none by number. Its files are for all to read.
	nobody = 65532
	// filesLimit is ten times the largest of odi's own agents, and has room for one of a user's.
	filesLimit = "256Mi"
	// copier is the program in an agent's image that copies its files.
	copier = "/odi-copy"
)

// agent is one whose files a pod has to get.
type agent struct {
	odiv1.AgentReference
	// folder is where the container has its volume; the files are in its folder agent.
	folder string
	// name of the volume, and of the init container.
	name string
	// like is the container whose resources and user the init container takes.
	like place
}

// agentFor is the agent of a container, which several containers of a pod may share.
func (in *injection) agentFor(c Container, p place) (*agent, *Skip) {
	a := &agent{AgentReference: c.Agent, like: p, name: volumeName(c.Agent)}
	a.folder = path.Dir(language.Root(c.Agent.Language, language.Release{Version: c.Agent.Version}))
	if p.mountsAround(a.folder) {
		return nil, &Skip{Reason: SkipPathTaken, Message: "It has something mounted at, above or below " + a.folder + "."}
	}
	if i := slices.IndexFunc(in.agents, func(have *agent) bool { return have.name == a.name }); i >= 0 {
		if in.agents[i].AgentReference != c.Agent {
			return nil, &Skip{Reason: SkipNameTaken, Message: "Another container has this agent from another image."}
		}
		return in.agents[i], nil
	}
	taken := slices.ContainsFunc(in.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == a.name })
	if taken || in.isTaken(a.name) {
		return nil, &Skip{Reason: SkipNameTaken, Message: "The pod has a volume or a container " + a.name + " already."}
	}
	if in.delivery() == InitContainer && !in.hasStorage() {
		return nil, &Skip{Reason: SkipNoStorage, Message: "The pod's limit of ephemeral storage is below " + filesLimit + ", which the agent's files count to."}
	}
	return a, nil
}

var notOfNames = regexp.MustCompile(`[^a-z0-9]+`)

// volumeName is odi-java-2-33-1-odi-1, with a hash where that would not be a version's alone.
func volumeName(a odiv1.AgentReference) string {
	const longest, hashed = 63, 8
	name := "odi-" + a.Language + "-" + notOfNames.ReplaceAllString(strings.ToLower(a.Version), "-")
	name = strings.TrimRight(name, "-")
	if len(name) <= longest && !strings.ContainsAny(a.Version, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		return name
	}
	sum := sha256.Sum256([]byte(a.Version))
	return strings.TrimRight(name[:min(len(name), longest-hashed-1)], "-") + "-" + hex.EncodeToString(sum[:])[:hashed]
}

// delivery is that of the decision, except where an image volume is known not to work.
func (in *injection) delivery() Delivery {
	spec := in.pod.Spec
	sandboxed := spec.RuntimeClassName != nil || spec.HostUsers != nil && !*spec.HostUsers
	if in.decision.Delivery == ImageVolume && !sandboxed {
		return ImageVolume
	}
	return InitContainer
}

// hasStorage says whether the files fit into what the pod may write; the kubelet counts an emptyDir to that.
func (v *view) hasStorage() bool {
	total, limited := resource.Quantity{}, false
	for _, c := range v.pod.Spec.Containers {
		if q, ok := c.Resources.Limits[corev1.ResourceEphemeralStorage]; ok {
			total.Add(q)
			limited = true
		}
	}
	return !limited || total.Cmp(resource.MustParse(filesLimit)) >= 0
}

func (in *injection) mount(p place, a *agent) Operation {
	m := map[string]any{"name": a.name, "mountPath": a.folder, "readOnly": true}
	if len(p.typed.VolumeMounts) == 0 {
		return add([]any{m}, "spec", p.list, p.index, "volumeMounts")
	}
	return add(m, "spec", p.list, p.index, "volumeMounts", "-")
}

// deliver adds the volumes, and the init containers where files are copied.
func (in *injection) deliver() []Operation {
	var out []Operation
	volumes, inits := len(in.pod.Spec.Volumes), len(in.pod.Spec.InitContainers)
	for _, a := range in.agents {
		out = append(out, grow(in.volume(a), volumes, "volumes", "-"))
		volumes++
	}
	if in.delivery() == ImageVolume {
		return out
	}
	for _, a := range slices.Backward(in.agents) {
		out = append(out, grow(in.initContainer(a), inits, "initContainers", "0"))
		inits++
	}
	return out
}

// grow adds to a list of a pod's that may not be there.
func grow(value any, have int, list, at string) Operation {
	if have == 0 {
		return add([]any{value}, "spec", list)
	}
	return add(value, "spec", list, at)
}

func (in *injection) volume(a *agent) map[string]any {
	if in.delivery() == ImageVolume {
		return map[string]any{"name": a.name, "image": map[string]any{"reference": a.Image, "pullPolicy": "IfNotPresent"}}
	}
	return map[string]any{"name": a.name, "emptyDir": map[string]any{"sizeLimit": filesLimit}}
}

// initContainer copies an agent's files before anything else of the pod runs. It satisfies the Pod Security
// level restricted. It asks for what its container asks: that is not running yet, so that nothing is added to
// what the pod asks for, its quality of service stays, and so does every bound of the namespace that it keeps.
func (in *injection) initContainer(a *agent) map[string]any {
	return map[string]any{
		"name": a.name, "image": a.Image, "imagePullPolicy": "IfNotPresent",
		"command":                  []any{copier, "/agent", a.folder + "/agent"},
		"resources":                a.like.raw.small(),
		"terminationMessagePolicy": "FallbackToLogsOnError",
		"volumeMounts":             []any{map[string]any{"name": a.name, "mountPath": a.folder}},
		"securityContext": map[string]any{
			"runAsUser": in.user(a.like), "runAsNonRoot": true, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
			"capabilities":   map[string]any{"drop": []any{"ALL"}},
			"seccompProfile": map[string]any{"type": "RuntimeDefault"},
		},
	}
}

// user is the application's where it is a number other than root's, which the namespace's rules may want.
func (in *injection) user(like place) int64 {
	if s := like.typed.SecurityContext; s != nil && s.RunAsUser != nil {
		return other(*s.RunAsUser)
	}
	if s := in.pod.Spec.SecurityContext; s != nil && s.RunAsUser != nil {
		return other(*s.RunAsUser)
	}
	return nobody
}

func other(user int64) int64 {
	if user == 0 {
		return nobody
	}
	return user
}

// small are a container's resources of the kinds that every process uses.
func (c *rawContainer) small() map[string]any {
	out := map[string]any{}
	for key, from := range map[string]map[string]json.RawMessage{"requests": c.Resources.Requests, "limits": c.Resources.Limits} {
		kept := map[string]any{}
		for _, name := range []string{"cpu", "memory", "ephemeral-storage"} {
			if value, ok := from[name]; ok {
				kept[name] = value
			}
		}
		if len(kept) > 0 {
			out[key] = kept
		}
	}
	return out
}
