// Package node makes the one node of a local cluster: its network, its
// container runtime, the kubelet and kube-proxy. It also removes all of it again.
package node

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/hack/cluster/controlplane"
	"github.com/odi-dev/odi/hack/cluster/layout"
	"github.com/odi-dev/odi/hack/cluster/pki"
	"github.com/odi-dev/odi/hack/cluster/process"
)

// Names of the programs.
const (
	Containerd = "containerd"
	Kubelet    = "kubelet"
	KubeProxy  = "kube-proxy"
)

// PauseImage is the image of the container that holds a pod's namespaces.
const PauseImage = "odi-cluster/pause:1"

//go:embed config
var templates embed.FS

// configFiles names the templates and where, in the cluster's folder, each goes.
var configFiles = map[string]string{
	"containerd.toml": "config/containerd.toml",
	"kubelet.yaml":    "config/kubelet.yaml",
	"kube-proxy.yaml": "config/kube-proxy.yaml",
	"10-odi.conflist": "config/cni/10-odi.conflist",
}

// parameters is what templates can ask for: everything about the cluster, and this.
type parameters struct {
	layout.Cluster
	PauseImage string
	Keys       string
	Runc       string
}

// render fills one template.
func render(name string, c layout.Cluster, b Binaries) (string, error) {
	parsed, err := template.New(name).Option("missingkey=error").ParseFS(templates, "config/"+name)
	if err != nil {
		return "", fmt.Errorf("parsing the template %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, parameters{c, PauseImage, c.Path("keys"), b.Runc}); err != nil {
		return "", fmt.Errorf("filling the template %s: %w", name, err)
	}
	return out.String(), nil
}

// WriteConfig writes the configuration files of the node.
func WriteConfig(c layout.Cluster, b Binaries) error {
	for name, to := range configFiles {
		content, err := render(name, c, b)
		if err != nil {
			return err
		}
		if err := writeChanged(c.Path(filepath.FromSlash(to)), content); err != nil {
			return fmt.Errorf("writing the configuration: %w", err)
		}
	}
	return nil
}

// writeChanged leaves a file alone that is as it should be: kube-proxy ends
// when its configuration is written, even if it is written the same.
func writeChanged(path, content string) error {
	if there, err := os.ReadFile(path); err == nil && string(there) == content {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

// Identities are the users that the node's programs are.
func Identities(c layout.Cluster) []pki.Identity {
	return []pki.Identity{
		{Name: Kubelet, User: "system:node:" + c.NodeName(), Groups: []string{"system:nodes"}, Hosts: []string{c.NodeName(), c.NodeIP()}},
		{Name: KubeProxy, User: "system:kube-proxy"},
	}
}

// Binaries are the folders of the programs.
type Binaries struct {
	Kubernetes string
	Containerd string
	Runc       string // The file itself.
}

// ContainerdSpec says how containerd is started.
func ContainerdSpec(c layout.Cluster, b Binaries) process.Spec {
	config := c.Path("config", "containerd.toml")
	return process.Spec{
		Name: Containerd,
		Argv: []string{filepath.Join(b.Containerd, "containerd"), "--config", config},
		// The shim is beside containerd.
		Env:    []string{"PATH=" + b.Containerd + ":" + os.Getenv("PATH")},
		Netns:  c.Netns(),
		Inputs: inputs(config),
	}
}

// KubeletSpec says how the kubelet is started.
func KubeletSpec(c layout.Cluster, b Binaries, plan controlplane.Plan) process.Spec {
	config := c.Path("config", "kubelet.yaml")
	return process.Spec{
		Name: Kubelet,
		Argv: []string{
			filepath.Join(b.Kubernetes, Kubelet),
			"--config=" + config,
			"--kubeconfig=" + plan.Kubeconfig(Kubelet),
			"--root-dir=" + c.Path("kubelet"),
			"--cert-dir=" + c.Path("kubelet", "pki"),
			"--hostname-override=" + c.NodeName(),
			"--node-ip=" + c.NodeIP(),
		},
		Netns:  c.Netns(),
		Inputs: inputs(config),
	}
}

// ProxySpec says how kube-proxy is started.
func ProxySpec(c layout.Cluster, b Binaries) process.Spec {
	config := c.Path("config", "kube-proxy.yaml")
	return process.Spec{
		Name:   KubeProxy,
		Argv:   []string{filepath.Join(b.Kubernetes, KubeProxy), "--config=" + config},
		Netns:  c.Netns(),
		Inputs: inputs(config),
	}
}

// inputs hashes a configuration file; one that cannot be read shows when its program starts.
func inputs(path string) string {
	files, err := cache.Files(path)
	if err != nil {
		return ""
	}
	return cache.Key(strings.Join(files, "\n"))
}
