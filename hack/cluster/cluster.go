package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/odi-dev/odi/hack/cluster/cache"
	"github.com/odi-dev/odi/hack/cluster/controlplane"
	"github.com/odi-dev/odi/hack/cluster/layout"
	"github.com/odi-dev/odi/hack/cluster/node"
	"github.com/odi-dev/odi/hack/cluster/pki"
	"github.com/odi-dev/odi/hack/cluster/process"
	"github.com/odi-dev/odi/hack/cluster/programs"
	"github.com/odi-dev/odi/hack/images/build"
)

// cluster is one local cluster, and what is needed to work on it.
type cluster struct {
	layout.Cluster
	builder    build.Builder
	kubernetes programs.Program
	containerd programs.Program
	coredns    programs.Program
	binaries   node.Binaries
	plan       controlplane.Plan
	records    process.Records
}

func thisCluster() (cluster, error) {
	where, err := layout.FromEnvironment()
	if err != nil {
		return cluster{}, err
	}
	store, err := cache.Default()
	if err != nil {
		return cluster{}, err
	}
	root, err := repository()
	if err != nil {
		return cluster{}, err
	}
	kubernetes, err := programs.Kubernetes(root)
	if err != nil {
		return cluster{}, err
	}
	coredns, err := programs.CoreDNS(root)
	if err != nil {
		return cluster{}, err
	}
	containerd := programs.Containerd()
	c := cluster{
		Cluster:    where,
		builder:    build.Builder{Root: root, Cache: store},
		kubernetes: kubernetes, containerd: containerd, coredns: coredns,
		binaries: node.Binaries{Kubernetes: kubernetes.Dir(store), Containerd: containerd.Dir(store)},
		records:  process.Records(where.Path("run")),
	}
	c.plan = controlplane.Plan{
		Binaries: c.binaries.Kubernetes, Dir: c.Path("control-plane"), Keys: pki.Dir(c.Path("keys")), Netns: c.Netns(),
		BindIP: "0.0.0.0", AdvertiseIP: c.NodeIP(), Port: 6443, EtcdPort: 2379, EtcdPeerPort: 2380,
		ServiceCIDR: c.ServiceCIDR(), ServiceIP: c.APIServiceIP(),
	}
	return c, nil
}

// components are the cluster's programs in the order in which they are started.
var components = []string{
	controlplane.Etcd, controlplane.APIServer, controlplane.ControllerManager, controlplane.Scheduler,
	node.Containerd, node.Kubelet, node.KubeProxy,
}

// kubectl is the path of kubectl.
func (c cluster) kubectl() string { return filepath.Join(c.binaries.Kubernetes, "kubectl") }

// exists says whether the cluster was ever started and not removed.
func (c cluster) exists() bool {
	_, err := os.Stat(c.State)
	return err == nil
}

// errNotRunning asks for `up`.
var errNotRunning = errors.New("the cluster is not running: `go run ./hack/cluster up` starts it")

func needRoot() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("the cluster needs root (network namespaces, mounts, cgroups): run it with sudo")
	}
	return nil
}
