package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/odi-dev/odi/hack/cluster/layout"
)

// SetUpNetwork makes the cluster's network namespace, the bridge that holds the
// node's address, and the link to the host. There is no way out of the
// namespace other than to the host itself, so nothing can leak.
func SetUpNetwork(ctx context.Context, c layout.Cluster) error {
	loadModules(ctx)
	for _, step := range networkSteps(c) {
		err := ip(ctx, step.args...)
		if err != nil && (!step.mayExist || !alreadyThere(err)) {
			return fmt.Errorf("%w%s", err, hint(step, c))
		}
	}
	for _, key := range []string{"net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding"} {
		if err := inNetns(ctx, c, "sh", "-c", "echo 1 > /proc/sys/"+key); err != nil {
			return fmt.Errorf("allowing the node to forward: %w", err)
		}
	}
	return nil
}

type networkStep struct {
	args     []string
	mayExist bool // `ip` fails when what the step makes is there already, and that is fine.
}

// networkSteps are the arguments of `ip`, in order. Each may be repeated.
func networkSteps(c layout.Cluster) []networkStep {
	within := func(args ...string) []string { return append([]string{"-n", c.Netns()}, args...) }
	steps := []networkStep{
		{args: []string{"netns", "add", c.Netns()}, mayExist: true},
		{args: within("link", "set", "lo", "up")},
		{args: within("link", "add", "node0", "type", "bridge"), mayExist: true},
		{args: within("address", "replace", c.NodeIP()+"/24", "dev", "node0")},
		{args: within("link", "set", "node0", "up")},
		// Components ask for the address of the default route; packets that take it end on the bridge.
		{args: within("route", "replace", "default", "dev", "node0", "src", c.NodeIP())},
		{args: []string{"link", "add", c.HostLink(), "type", "veth", "peer", "name", "host0", "netns", c.Netns()}, mayExist: true},
		{args: within("address", "replace", c.ClusterLinkIP()+"/30", "dev", "host0")},
		{args: within("link", "set", "host0", "up")},
		{args: []string{"address", "replace", c.HostLinkIP() + "/30", "dev", c.HostLink()}},
		{args: []string{"link", "set", c.HostLink(), "up"}},
	}
	for _, cidr := range c.Ranges() {
		steps = append(steps, networkStep{args: []string{"route", "replace", cidr, "via", c.ClusterLinkIP(), "dev", c.HostLink()}})
	}
	return steps
}

func alreadyThere(err error) bool { return strings.Contains(err.Error(), "File exists") }

func hint(step networkStep, c layout.Cluster) string {
	if strings.Contains(strings.Join(step.args, " "), c.HostLinkIP()) {
		return "; is " + c.HostLinkIP() + " taken? ODI_CLUSTER_SLOT chooses other addresses"
	}
	return ""
}

// loadModules loads what distributions build as modules. What is built in, or
// missing, shows when it is used: with a better message than modprobe's.
func loadModules(ctx context.Context) {
	for _, module := range []string{"overlay", "br_netfilter", "veth", "nf_conntrack"} {
		_ = exec.CommandContext(ctx, "modprobe", module).Run()
	}
}

// TearDownNetwork removes what SetUpNetwork made; iptables rules and routes go
// with the namespace and the link.
func TearDownNetwork(ctx context.Context, c layout.Cluster) error {
	var errs []error
	if _, err := os.Stat("/sys/class/net/" + c.HostLink()); err == nil {
		errs = append(errs, ip(ctx, "link", "delete", c.HostLink()))
	}
	if NetworkExists(c) {
		errs = append(errs, ip(ctx, "netns", "delete", c.Netns()))
	}
	return errors.Join(errs...)
}

// NetworkExists says whether the cluster's network namespace is there.
func NetworkExists(c layout.Cluster) bool {
	_, err := os.Stat("/run/netns/" + c.Netns())
	return err == nil
}

func ip(ctx context.Context, args ...string) error { return run(ctx, "ip", args...) }

// inNetns runs a command in the cluster's network namespace; /sys stays the host's.
func inNetns(ctx context.Context, c layout.Cluster, args ...string) error {
	return run(ctx, "nsenter", append([]string{"--net=/run/netns/" + c.Netns(), "--"}, args...)...)
}

// run runs a command and puts what it printed into the error.
func run(ctx context.Context, name string, args ...string) error {
	output, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("running %s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(output))
	}
	return nil
}
