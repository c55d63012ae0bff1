package main

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
	"github.com/odi-dev/odi/hack/cluster/controlplane"
	"github.com/odi-dev/odi/hack/cluster/dns"
	"github.com/odi-dev/odi/hack/cluster/node"
	"github.com/odi-dev/odi/hack/cluster/progress"
	"github.com/odi-dev/odi/hack/images/recipe"
)

// runUp brings the cluster up. Every step finds out by itself what of it is
// done, so that it may be repeated, also after it was interrupted anywhere.
func runUp(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: up takes no arguments", errUsage)
	}
	if err := needRoot(); err != nil {
		return err
	}
	c, err := thisCluster()
	if err != nil {
		return err
	}
	store := c.builder.Cache
	steps := []progress.Step{
		{What: "installing Debian packages", About: time.Minute, Done: packagesInstalled, Run: c.installPackages},
		building(c.kubernetes, store),
		building(c.containerd, store),
		building(c.coredns, store),
		{What: "making the network", Run: c.makeNetwork},
		{What: "starting the control plane", About: 5 * time.Second, Run: c.startControlPlane},
		{What: "starting the node", About: 10 * time.Second, Run: c.startNode},
		{What: "starting the name service", About: 10 * time.Second, Run: c.startDNS},
	}
	if err := progress.Run(ctx, os.Stderr, steps); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "\nThe cluster is ready:\n  export KUBECONFIG=%s\n  export PATH=%s:$PATH   # kubectl\n", c.Kubeconfig(), c.binaries.Kubernetes)
	return nil
}

func (c cluster) makeNetwork(ctx context.Context) error {
	if err := freePorts(c); err != nil {
		return err
	}
	if err := os.MkdirAll(c.State, 0o755); err != nil {
		return fmt.Errorf("making the folder of the cluster: %w", err)
	}
	return node.SetUpNetwork(ctx, c.Cluster)
}

// freePorts makes sure that no other cluster has this one's addresses.
func freePorts(c cluster) error {
	_, err := os.Stat("/sys/class/net/" + c.HostLink())
	if err == nil && !node.NetworkExists(c.Cluster) {
		return fmt.Errorf("interface %s is there without the cluster it belongs to: another cluster has slot %d (ODI_CLUSTER_SLOT), or `down` was interrupted: `ip link delete %s` removes it", c.HostLink(), c.Slot, c.HostLink())
	}
	return nil
}

func (c cluster) startControlPlane(ctx context.Context) error {
	if err := os.MkdirAll(c.plan.Dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of the control plane: %w", err)
	}
	if err := c.plan.Prepare(); err != nil {
		return err
	}
	if err := c.plan.Keys.Ensure(node.Identities(c.Cluster)...); err != nil {
		return err
	}
	if err := c.plan.WriteKubeconfigs(node.Kubelet, node.KubeProxy); err != nil {
		return err
	}
	if err := copyFile(c.plan.Kubeconfig(controlplane.Admin), c.Kubeconfig()); err != nil {
		return err
	}
	if err := c.records.Ensure(c.plan.Etcd()); err != nil {
		return err
	}
	if err := c.records.Ensure(c.plan.APIServer()); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	err := c.plan.WaitReady(limited, func() error { return c.records.Dead(controlplane.Etcd, controlplane.APIServer) })
	if err != nil {
		return fmt.Errorf("waiting for the API server (log: %s): %w", c.records.Log(controlplane.APIServer), err)
	}
	if err := c.records.Ensure(c.plan.ControllerManager()); err != nil {
		return err
	}
	return c.records.Ensure(c.plan.Scheduler())
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	return os.WriteFile(to, content, 0o600)
}

func (c cluster) startNode(ctx context.Context) error {
	var err error
	c.binaries.Runc, err = c.builder.Compile(ctx, recipe.GoProgram{Package: "./hack/cluster/runc", Flags: []string{"-trimpath", "-ldflags=-s -w"}}, runtime.GOARCH)
	if err != nil {
		return err
	}
	if err := node.WriteConfig(c.Cluster, c.binaries); err != nil {
		return err
	}
	if err := node.MakeCgroup(c.Cluster); err != nil {
		return err
	}
	if err := node.ShareMounts(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Run, 0o755); err != nil {
		return fmt.Errorf("making the folder of the sockets: %w", err)
	}
	if err := c.records.Ensure(node.ContainerdSpec(c.Cluster, c.binaries)); err != nil {
		return err
	}
	if err := node.WaitContainerd(ctx, c.Cluster, c.binaries, func() error { return c.records.Dead(node.Containerd) }); err != nil {
		return err
	}
	if err := c.loadOwnImages(ctx); err != nil {
		return err
	}
	if err := c.records.Ensure(node.KubeletSpec(c.Cluster, c.binaries, c.plan)); err != nil {
		return err
	}
	if err := c.records.Ensure(node.ProxySpec(c.Cluster, c.binaries)); err != nil {
		return err
	}
	return c.waitNode(ctx)
}

// loadOwnImages builds and imports what the cluster itself runs in pods.
func (c cluster) loadOwnImages(ctx context.Context) error {
	recipes, err := recipe.Load(filepath.Join(c.builder.Root, "hack", "cluster", "images.yaml"))
	if err != nil {
		return err
	}
	for _, r := range recipes {
		archive, err := c.builder.Archive(ctx, r)
		if err != nil {
			return err
		}
		if err := c.load(ctx, archive); err != nil {
			return err
		}
	}
	return nil
}

// load imports an archive of the cache unless it was imported into this cluster before.
// A name that got another archive since is imported again.
func (c cluster) load(ctx context.Context, archive string) error {
	files, err := cache.Files(archive)
	if err != nil {
		return err
	}
	name := filepath.Base(filepath.Dir(archive))
	if at := strings.LastIndexByte(name, '-'); at > 0 {
		name = name[:at]
	}
	mark := c.Path("loaded", name)
	key := cache.Key(files...)
	if previous, err := os.ReadFile(mark); err == nil && string(previous) == key {
		return nil
	}
	if err := node.Load(ctx, c.Cluster, c.binaries, archive); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(mark), 0o755); err != nil {
		return fmt.Errorf("remembering a loaded image: %w", err)
	}
	return os.WriteFile(mark, []byte(key), 0o644)
}

// waitNode waits until the node is registered and ready.
func (c cluster) waitNode(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		output, err := c.kubectlCommand(limited, "wait", "--for=condition=Ready", "--timeout=5s", "node/"+c.NodeName()).CombinedOutput()
		if err == nil {
			return nil
		}
		if dead := c.records.Dead(components...); dead != nil {
			return dead
		}
		if limited.Err() != nil {
			return fmt.Errorf("waiting for the node (log: %s): %s", c.records.Log(node.Kubelet), output)
		}
		time.Sleep(100 * time.Millisecond) // `wait` ends at once while there is no node.
	}
}

func (c cluster) startDNS(ctx context.Context) error {
	manifest, err := dns.Manifest(dns.Params{DNSIP: c.DNSIP(), Image: "odi-cluster/coredns:v1.15.0"})
	if err != nil {
		return err
	}
	apply := c.kubectlCommand(ctx, "apply", "--server-side", "--force-conflicts", "-f", "-")
	apply.Stdin = strings.NewReader(manifest)
	if output, err := apply.CombinedOutput(); err != nil {
		return fmt.Errorf("applying the objects of the name service: %w\n%s", err, output)
	}
	wait := c.kubectlCommand(ctx, "rollout", "status", "--namespace=kube-system", "--timeout=120s", "deployment/coredns")
	if output, err := wait.CombinedOutput(); err != nil {
		return fmt.Errorf("waiting for the name service: %w\n%s", err, output)
	}
	return nil
}

func (c cluster) kubectlCommand(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, c.kubectl(), append([]string{"--kubeconfig=" + c.Kubeconfig()}, args...)...)
}
