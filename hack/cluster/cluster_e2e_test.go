//go:build e2e

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/hack/images/recipe"
)

// TestClusterFromUpToDown takes a cluster of its own through its life:
//
//	sudo go test -tags e2e -count=1 -v ./hack/cluster
func TestClusterFromUpToDown(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a cluster needs root")
	}
	t.Setenv("ODI_CLUSTER_NAME", "selftest")
	t.Setenv("ODI_CLUSTER_SLOT", "14")
	before := machine(t)
	t.Cleanup(func() {
		command(t, "down")
		if diff := cmp.Diff(before, machine(t)); diff != "" {
			t.Errorf("the machine is not as it was (-before +after):\n%s", diff)
		}
		command(t, "down") // What is not there can be taken down too.
	})
	command(t, "up")
	c, err := thisCluster()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("up again changes nothing", func(t *testing.T) {
		running := pids(t, c)
		command(t, "up")
		if diff := cmp.Diff(running, pids(t, c)); diff != "" {
			t.Errorf("programs were restarted (-before +after):\n%s", diff)
		}
	})
	deploy(t, c)
	t.Run("pods answer", func(t *testing.T) { testAnswers(t, c) })
	t.Run("kubectl reaches into pods", func(t *testing.T) { testKubectl(t, c) })
	t.Run("up repairs", func(t *testing.T) {
		for _, pid := range pids(t, c) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
		}
		command(t, "up")
		testAnswers(t, c)
	})
}

func command(t *testing.T, args ...string) {
	t.Helper()
	start := time.Now()
	if err := dispatch(context.Background(), args); err != nil {
		t.Fatalf("cluster %s: %v", strings.Join(args, " "), err)
	}
	t.Logf("cluster %s took %s", strings.Join(args, " "), time.Since(start).Round(100*time.Millisecond))
}

// machine is what is on the machine that has to do with the test's cluster, or
// with any cluster if there is no other.
func machine(t *testing.T) []string {
	t.Helper()
	var found []string
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for mount := range strings.Lines(string(mounts)) {
		if strings.Contains(mount, "selftest") {
			found = append(found, mount)
		}
	}
	patterns := []string{"/run/netns/*selftest", "/sys/class/net/odi-host14", "/sys/fs/cgroup/*selftest", "/sys/fs/cgroup/*/*selftest", "/run/odi/selftest", "/var/log/containers/*selftest*"}
	if others, err := filepath.Glob("/run/odi/*"); err == nil && len(others) == 0 {
		patterns = append(patterns, "/var/lib/kubelet", "/run/odi", "/run/containerd", "/run/nri", "/opt/containerd", "/opt/nri")
	}
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, paths...)
	}
	slices.Sort(found)
	return found
}

func pids(t *testing.T, c cluster) map[string]int {
	t.Helper()
	running := map[string]int{}
	for _, name := range components {
		record, err := c.records.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		running[name] = record.PID
	}
	return running
}

func deploy(t *testing.T, c cluster) {
	t.Helper()
	recipes, err := recipe.Load("testdata/images.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recipes {
		archive, err := c.builder.Archive(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		command(t, "load", archive)
		command(t, "load", archive) // Already there.
	}
	command(t, "kubectl", "apply", "-f", "testdata/pods.yaml")
	command(t, "kubectl", "rollout", "status", "--timeout=90s", "deployment/echo", "daemonset/agent")
}

// testAnswers asks the pods through their Service and through its port of the node.
func testAnswers(t *testing.T, c cluster) {
	service := output(t, c, "get", "service", "echo", "-o", "jsonpath={.spec.clusterIP}")
	for _, host := range []string{service, c.NodeIP() + ":30080"} {
		if got := ask(t, "http://"+host); !strings.Contains(got, "hello") {
			t.Errorf("%s answers %q, want hello", host, got)
		}
	}
}

// ask repeats a question for a while: after a restart, kube-proxy needs a moment.
func ask(t *testing.T, url string) string {
	t.Helper()
	var last error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		response, err := (&http.Client{Timeout: 2 * time.Second}).Get(url)
		if err != nil {
			last = err
			continue
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	t.Fatal(last)
	return ""
}

func testKubectl(t *testing.T, c cluster) {
	if got := output(t, c, "exec", "deployment/echo", "--", "/usr/bin/echo", "say", "inside"); !strings.Contains(got, "inside") {
		t.Errorf("exec says %q, want inside", got)
	}
	if got := output(t, c, "logs", "daemonset/agent", "-c", "privileged"); !strings.Contains(got, "privileged") {
		t.Errorf("the privileged container logged %q", got)
	}
	logs := output(t, c, "logs", "daemonset/agent")
	for _, want := range []string{"btf: <nil>", hostInit(t), "CapEff:\t000000c"} { // Bits 38 and 39: PERFMON and BPF.
		if !strings.Contains(logs, want) {
			t.Errorf("an agent's pod does not see %q:\n%s", want, logs)
		}
	}
	testPortForward(t, c)
}

// hostInit is the name of this machine's first process.
func hostInit(t *testing.T) string {
	t.Helper()
	name, err := os.ReadFile("/proc/1/comm")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(name))
}

func testPortForward(t *testing.T, c cluster) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	forward := c.kubectlCommand(ctx, "port-forward", "service/echo", ":80")
	out, err := forward.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := forward.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 200)
	n, err := out.Read(line) // "Forwarding from 127.0.0.1:41234 -> 8080"
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(line[:n]))
	if got := ask(t, "http://"+words[2]); !strings.Contains(got, "hello") {
		t.Errorf("the forwarded port answers %q, want hello", got)
	}
	cancel()
	_ = forward.Wait() // It was killed.
}

func output(t *testing.T, c cluster, args ...string) string {
	t.Helper()
	cmd := c.kubectlCommand(t.Context(), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	content, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(content)
}
