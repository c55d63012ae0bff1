package instrumentor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	kjson "sigs.k8s.io/json"

	"github.com/odi-dev/odi/languages/language"
)

// view is a pod as odi reads it: typed for what it knows, and raw where a field that it does not know would matter.
type view struct {
	pod corev1.Pod
	raw rawPod
}

// rawPod has what is read without its types.
type rawPod struct {
	Metadata *struct{} `json:"metadata"`
	Spec     *struct {
		Containers     []rawContainer `json:"containers"`
		InitContainers []rawContainer `json:"initContainers"`
	} `json:"spec"`
}

type rawContainer struct {
	Env       []map[string]json.RawMessage `json:"env"`
	Resources struct {
		Requests map[string]json.RawMessage `json:"requests"`
		Limits   map[string]json.RawMessage `json:"limits"`
	} `json:"resources"`
}

func read(raw []byte) (*view, error) {
	v := &view{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &v.pod); err != nil {
		return nil, fmt.Errorf("reading a pod: %w", err)
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &v.raw); err != nil {
		return nil, fmt.Errorf("reading a pod: %w", err)
	}
	return v, nil
}

// Containers names the containers of a pod or a template, without init containers.
func Containers(raw []byte) ([]string, error) {
	v, err := read(raw)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range v.pod.Spec.Containers {
		names = append(names, c.Name)
	}
	return names, nil
}

// place is a container within a pod.
type place struct {
	list  string // containers or initContainers
	index int
	typed *corev1.Container
	raw   *rawContainer
}

func (v *view) find(name string) (place, bool) {
	named := func(c corev1.Container) bool { return c.Name == name }
	if i := slices.IndexFunc(v.pod.Spec.Containers, named); i >= 0 {
		return place{"containers", i, &v.pod.Spec.Containers[i], &v.raw.Spec.Containers[i]}, true
	}
	if i := slices.IndexFunc(v.pod.Spec.InitContainers, named); i >= 0 {
		return place{"initContainers", i, &v.pod.Spec.InitContainers[i], &v.raw.Spec.InitContainers[i]}, true
	}
	return place{}, false
}

// environment is a container's as the languages read it. An entry with a field that is neither name nor value
// has its value from elsewhere, also where this odi does not know that field.
func (p place) environment() []language.Variable {
	env := make([]language.Variable, len(p.typed.Env))
	for i, e := range p.typed.Env {
		env[i] = language.Variable{Name: e.Name, Value: e.Value}
		for key, value := range p.raw.Env[i] {
			if key != "name" && key != "value" && string(value) != "null" {
				env[i].Elsewhere = true
			}
		}
	}
	return env
}

// words are a container's command and arguments.
func (p place) words() []string { return slices.Concat(p.typed.Command, p.typed.Args) }

// resolvesServices says whether names of Services resolve in the pod with every C library.
func (v *view) resolvesServices() bool {
	const dots = 2 // of odi-agents.odi-system.svc; musl searches only for names with fewer than ndots.
	spec := v.pod.Spec
	switch spec.DNSPolicy {
	case corev1.DNSNone, corev1.DNSDefault:
		return false
	case corev1.DNSClusterFirst, "":
		if spec.HostNetwork {
			return false
		}
	}
	if spec.DNSConfig == nil {
		return true
	}
	return !slices.ContainsFunc(spec.DNSConfig.Options, func(o corev1.PodDNSConfigOption) bool {
		return o.Name == "ndots" && o.Value != nil && len(*o.Value) == 1 && *o.Value <= fmt.Sprint(dots)
	})
}

func (v *view) isWindows() bool {
	spec := v.pod.Spec
	if spec.OS != nil && spec.OS.Name == corev1.Windows || spec.SecurityContext != nil && spec.SecurityContext.WindowsOptions != nil {
		return true
	}
	return spec.NodeSelector[corev1.LabelOSStable] == "windows" || spec.NodeSelector["beta.kubernetes.io/os"] == "windows"
}

// isTaken says whether any container of the pod has a name.
func (v *view) isTaken(container string) bool {
	_, taken := v.find(container)
	return taken || slices.ContainsFunc(v.pod.Spec.EphemeralContainers, func(c corev1.EphemeralContainer) bool { return c.Name == container })
}

// mountsAround says whether a container has something mounted at, above or below a folder.
func (p place) mountsAround(folder string) bool {
	around := func(path string) bool {
		path = "/" + strings.Trim(path, "/")
		return path == "/" || within(path, folder) || within(folder, path)
	}
	return slices.ContainsFunc(p.typed.VolumeMounts, func(m corev1.VolumeMount) bool { return around(m.MountPath) }) ||
		slices.ContainsFunc(p.typed.VolumeDevices, func(d corev1.VolumeDevice) bool { return around(d.DevicePath) })
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }
