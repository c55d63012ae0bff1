package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/odi-dev/odi/hack/cluster/node"
	"github.com/odi-dev/odi/hack/cluster/progress"
)

// runStatus prints what runs; it fails when something does not.
func runStatus(ctx context.Context, _ []string) error {
	c, err := thisCluster()
	if err != nil {
		return err
	}
	if !c.exists() {
		return errNotRunning
	}
	fmt.Printf("cluster %s, API server %s, kubeconfig %s, logs in %s\n\n", c.Name, c.Server(), c.Kubeconfig(), c.records)
	for _, name := range components {
		state := "does not run"
		if record, err := c.records.Load(name); err == nil && record.Alive() {
			state = fmt.Sprintf("runs, process %d", record.PID)
		}
		fmt.Printf("%-24s %s\n", name, state)
	}
	if err := c.records.Dead(components...); err != nil {
		return err
	}
	fmt.Println()
	return c.attached(c.kubectlCommand(ctx, "get", "nodes,pods", "--all-namespaces", "-o", "wide"))
}

// runKubeconfig prints the path of the kubeconfig.
func runKubeconfig(context.Context, []string) error {
	c, err := thisCluster()
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.Kubeconfig()); err != nil {
		return errNotRunning
	}
	fmt.Println(c.Kubeconfig())
	return nil
}

// runLoad imports image archives into the node.
func runLoad(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: load needs archives", errUsage)
	}
	if err := needRoot(); err != nil {
		return err
	}
	c, err := thisCluster()
	if err != nil {
		return err
	}
	if !c.records.Running(node.Containerd) {
		return errNotRunning
	}
	var steps []progress.Step
	for _, archive := range args {
		name := filepath.Base(filepath.Dir(archive)) + "/" + filepath.Base(archive)
		steps = append(steps, progress.Step{What: "loading " + name, Run: func(ctx context.Context) error {
			return c.load(ctx, archive)
		}})
	}
	return progress.Run(ctx, os.Stderr, steps)
}

// runKubectl runs kubectl on the cluster.
func runKubectl(ctx context.Context, args []string) error {
	c, err := thisCluster()
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	return c.attached(c.kubectlCommand(ctx, args...))
}

// runExec runs a command in the cluster's network namespace.
func runExec(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return fmt.Errorf("%w: exec needs a command", errUsage)
	}
	if err := needRoot(); err != nil {
		return err
	}
	c, err := thisCluster()
	if err != nil {
		return err
	}
	if !node.NetworkExists(c.Cluster) {
		return errNotRunning
	}
	return c.attached(exec.CommandContext(ctx, "nsenter", append([]string{"--net=/run/netns/" + c.Netns(), "--"}, args...)...))
}

func (c cluster) attached(cmd *exec.Cmd) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig())
	return cmd.Run()
}
