// Package programs builds the programs that a local cluster consists of, from
// their Go modules, into the cache: each once per version and machine.
package programs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/odi-dev/odi/hack/cluster/cache"
)

// The versions. Those of Kubernetes and CoreDNS are also in the go.mod of their modules.
const (
	KubernetesVersion = "v1.36.3"
	containerdVersion = "v2.4.2"
	corednsVersion    = "v1.15.0"
	jaegerVersion     = "v1.76.0"
)

// Program is something to build: one or several binaries in one folder.
type Program struct {
	Name    string
	Version string
	About   time.Duration // About how long it takes on two cores.

	inputs []string
	build  func(ctx context.Context, dir string) error
}

// What says in words what is built.
func (p Program) What() string { return "building " + p.Name + " " + p.Version }

func (p Program) entry() (name, key string) {
	inputs := append([]string{p.Version, runtime.Version(), runtime.GOARCH}, p.inputs...)
	return "programs/" + p.Name + "-" + p.Version, cache.Key(inputs...)
}

// Built says whether the cache has it.
func (p Program) Built(in cache.Dir) bool { return in.Has(p.entry()) }

// Dir is the folder of the binaries, whether they are built or not.
func (p Program) Dir(in cache.Dir) string { return in.Path(p.entry()) }

// Build builds it unless the cache has it and returns the folder of the binaries.
func (p Program) Build(ctx context.Context, in cache.Dir) (string, error) {
	name, key := p.entry()
	return in.Make(name, key, func(dir string) error { return p.build(ctx, dir) })
}

// Kubernetes is every Kubernetes program, kubectl and etcd: one binary, and a link to it per program.
// Root is that of the clone.
func Kubernetes(root string) (Program, error) {
	const variables = "k8s.io/component-base/version."
	minor := strings.Split(KubernetesVersion, ".")[1]
	flags := "-X " + variables + "gitVersion=" + KubernetesVersion + " -X " + variables + "gitMajor=1 -X " + variables + "gitMinor=" + minor
	return ownModule(module{
		name: "kubernetes", version: KubernetesVersion, about: 5 * time.Minute, root: root, flags: flags,
		links: []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"},
	})
}

// CoreDNS is coredns with the plugins that a local cluster needs.
func CoreDNS(root string) (Program, error) {
	return ownModule(module{name: "coredns", version: corednsVersion, about: time.Minute, root: root})
}

// module is a program with a small module of its own beside this package.
type module struct {
	name, version string
	about         time.Duration
	root          string
	flags         string   // For the linker.
	links         []string // Other names of the binary.
}

func ownModule(m module) (Program, error) {
	source := filepath.Join(m.root, "hack", "cluster", m.name)
	inputs, err := cache.Files(filepath.Join(source, "go.mod"), filepath.Join(source, "go.sum"), filepath.Join(source, "main.go"))
	if err != nil {
		return Program{}, err
	}
	return Program{
		Name: m.name, Version: m.version, About: m.about, inputs: append(inputs, m.flags),
		build: func(ctx context.Context, dir string) error {
			if err := run(ctx, source, nil, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w "+m.flags, "-o", filepath.Join(dir, m.name), "."); err != nil {
				return err
			}
			for _, name := range m.links {
				if err := os.Symlink(m.name, filepath.Join(dir, name)); err != nil {
					return fmt.Errorf("naming %s: %w", name, err)
				}
			}
			return nil
		},
	}, nil
}

// Containerd is containerd, its shim and ctr.
func Containerd() Program {
	const module = "github.com/containerd/containerd/v2/cmd/"
	return installed("containerd", containerdVersion, time.Minute, module+"containerd", module+"containerd-shim-runc-v2", module+"ctr")
}

// installed is a program whose packages `go install` can build.
func installed(name, version string, about time.Duration, packages ...string) Program {
	return Program{
		Name: name, Version: version, About: about, inputs: packages,
		build: func(ctx context.Context, dir string) error {
			args := []string{"install", "-trimpath", "-ldflags", "-s -w"}
			for _, p := range packages {
				args = append(args, p+"@"+version)
			}
			return run(ctx, dir, []string{"GOBIN=" + dir}, "go", args...)
		},
	}
}

// run runs a command of a build and returns what it printed if it fails.
func run(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0", "GOWORK=off"), env...)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %s %s: %w\n%s", name, args[0], err, output)
	}
	return nil
}
