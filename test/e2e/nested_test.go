//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/internal/testkit/program"
	"github.com/odi-dev/odi/test/e2e/judge"
)

// nestedVariable says that this process is in the PID namespace already.
const nestedVariable = "ODI_E2E_NESTED"

// TestNestedNode is the story of a cluster that lies in a PID namespace of its own as
// a whole, as on a node that is a container (kind, k3d, minikube): install, instrument,
// trace. Nothing of it is left in the machine's own namespaces.
func TestNestedNode(t *testing.T) {
	if os.Getenv(nestedVariable) != "" {
		tellNested(t)
		return
	}
	if os.Getenv("KUBECONFIG") != "" {
		t.Skip("the cluster of KUBECONFIG is where it is: only the local one can be put into a PID namespace")
	}
	if os.Geteuid() != 0 {
		t.Fatal("the local cluster needs root")
	}
	program.Need(t, "unshare") // hack/nested.sh starts it
	mounts, processes := mountsHere(t), processesOf(t, nestedCluster)
	cmd := program.CommandContext(t.Context(), t, "bash", filepath.Join(repository(t), "hack", "nested.sh"),
		os.Args[0], "-test.run=^TestNestedNode$", "-test.v", "-test.timeout=10m")
	cmd.Env = append(cmd.Env, nestedVariable+"=1")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	if err := cmd.Run(); err != nil {
		t.Errorf("the story in the PID namespace: %v", err)
	}
	if left := mountsHere(t); left != mounts {
		t.Errorf("%d mounts before, %d afterwards", mounts, left)
	}
	if left := processesOf(t, nestedCluster); len(left) > len(processes) {
		t.Errorf("processes were left behind: %v", left)
	}
}

// nestedCluster has a slot beside those of the demo and of TestStory.
const (
	nestedCluster = "e2e-nested"
	nestedSlot    = "6"
)

// tellNested tells the story from inside.
func tellNested(t *testing.T) {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		t.Fatal(err)
	}
	if self != fmt.Sprint(os.Getpid()) || os.Getpid() > 1000 {
		t.Fatalf("this is no PID namespace of its own: process %d calls itself %s", os.Getpid(), self)
	}
	w := newWorld(t, startLocal(t, nestedCluster, nestedSlot))
	w.must(t, "the shop runs before odi comes", w.deployShop)
	before := w.snapshotLeftovers(t)
	w.must(t, "odi install", w.installByCLI)
	w.must(t, "odi destination add jaeger", w.addJaegerByCLI)
	w.must(t, "odi instrument --wait", func(t *testing.T) { w.odi(t, "instrument", "namespace", shop.Namespace, "--wait") })
	t.Run("the very first requests have all their spans", w.checkFirstRequests)
	t.Run("one whole trace for each request", w.checkWholeTraces)
	t.Run("odi uninstall leaves nothing behind", func(t *testing.T) { w.checkUninstall(t, before) })
}

// checkFirstRequests sends the first requests since odi says that all is instrumented:
// none may lack a span, though goroutines are not known well enough to link them all.
func (w *world) checkFirstRequests(t *testing.T) {
	const requests = 20
	s := w.drive(t, traffic.Load{Requests: requests, Pause: 50 * time.Millisecond})
	traces := byMarker(w.tracesOf(t, s, arrival, complete(requests)))
	for _, r := range s.results {
		if n := spansOf(traces[r.Marker], r.Marker); n != judge.SpansPerCheckout() {
			t.Errorf("request %s has %d spans, want %d:%s", r.Marker, n, judge.SpansPerCheckout(), texts(traces[r.Marker]))
		}
	}
}

// spansOf counts the spans of one request in traces.
func spansOf(traces []trace.Trace, marker string) int {
	n := 0
	for _, one := range traces {
		for _, s := range one.Spans {
			if s.Marker() == marker {
				n++
			}
		}
	}
	return n
}

func mountsHere(t *testing.T) int {
	t.Helper()
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(info), "\n")
}

// processesOf lists the processes that a cluster's folder is named in.
func processesOf(t *testing.T, cluster string) []string {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(file string) bool {
		line, _ := os.ReadFile(file) // it may have ended
		return !strings.Contains(string(line), "cluster-"+cluster)
	})
}
