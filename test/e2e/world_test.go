//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// storyCluster is the local cluster of TestStory.
const storyCluster, storySlot = "e2e", "7"

// world is the cluster and the binaries under test.
type world struct {
	cluster *stage.Cluster
	root    string
	odiPath string
	// foreign says that the cluster was given by KUBECONFIG: the machine that
	// the test runs on is then no node of it.
	foreign bool
	// loads counts the loads, so that every marker in Jaeger is of one load.
	loads int
	// namedAt makes markers differ between two runs on one cluster.
	namedAt int64
}

// openWorld brings up the cluster and loads the images, or takes the given one.
func openWorld(t *testing.T) *world {
	t.Helper()
	kubeconfig := os.Getenv("KUBECONFIG")
	if kubeconfig == "" {
		return newWorld(t, startLocal(t, storyCluster, storySlot))
	}
	w := newWorld(t, kubeconfig)
	w.foreign = true
	w.claimForeign(t)
	return w
}

func newWorld(t *testing.T, kubeconfig string) *world {
	t.Helper()
	root := repository(t)
	w := &world{root: root, odiPath: filepath.Join(root, "bin", "odi"), namedAt: time.Now().Unix()}
	if _, err := os.Stat(w.odiPath); err != nil {
		t.Fatalf("the test needs bin/odi: run make build (%v)", err)
	}
	var err error
	if w.cluster, err = stage.Open(kubeconfig); err != nil {
		t.Fatal(err)
	}
	return w
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// claimForeign makes sure that nothing of somebody else's is touched, and that
// nothing is left on their cluster. ODI_REGISTRY is where it gets the images.
func (w *world) claimForeign(t *testing.T) {
	t.Helper()
	if err := w.cluster.Claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("ODI_E2E_KEEP") == "" {
		t.Cleanup(func() {
			if left := w.runOdi(context.Background(), t, w.cluster.Kubeconfig, "uninstall", "--yes", "--include-crds"); left.code != 0 {
				t.Errorf("odi uninstall: %s", left.stderr)
			}
			if err := w.cluster.Leave(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	registry := os.Getenv("ODI_REGISTRY")
	if registry == "" {
		return
	}
	images, err := stage.Local{Root: w.root, Out: os.Stderr}.Push(t.Context(), registry)
	if err != nil {
		t.Fatal(err)
	}
	w.cluster.Images = images
}

// startLocal starts a cluster beside the demo's, so that neither disturbs the
// other. ODI_E2E_KEEP keeps it for looking around and for the next run.
func startLocal(t *testing.T, name, slot string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("the local cluster needs root; run as root, or set KUBECONFIG to a cluster")
	}
	local := stage.Local{
		Root: repository(t), Out: os.Stderr,
		Env: []string{"ODI_CLUSTER_NAME=" + name, "ODI_CLUSTER_SLOT=" + slot},
	}
	if os.Getenv("ODI_E2E_KEEP") == "" {
		t.Cleanup(func() {
			if err := local.Down(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	begin := time.Now()
	kubeconfig, err := local.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	archives, err := local.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := local.Load(t.Context(), archives); err != nil {
		t.Fatal(err)
	}
	t.Logf("cluster up with %d images after %s", len(archives), time.Since(begin).Round(time.Second))
	return kubeconfig
}

// must runs a step that all later ones need.
func (w *world) must(t *testing.T, name string, step func(*testing.T)) {
	t.Helper()
	if !t.Run(name, step) {
		t.FailNow()
	}
}

func (w *world) deployShop(t *testing.T) {
	ctx := t.Context()
	for _, manifest := range [][]byte{jaeger.Manifest, traffic.Manifest} {
		if err := w.cluster.Apply(ctx, manifest); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.cluster.ApplyAll(ctx, shop.Manifests); err != nil {
		t.Fatal(err)
	}
	for _, namespace := range stage.Namespaces {
		if err := w.cluster.WaitReady(ctx, namespace, 2*time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	w.waitServing(t)
}

// waitServing waits until the shop answers a row of requests, as many at once as the loads
// that follow send: kube-proxy may learn of a pod a moment after the pod is ready, and each
// connection of a pool may lead to a pod that has gone.
func (w *world) waitServing(t *testing.T) {
	t.Helper()
	err := stage.Eventually(t.Context(), time.Minute, time.Second, func(context.Context) (bool, string) {
		s, err := w.tryDrive(t.Context(), traffic.Load{Requests: 200, Concurrency: 10})
		if err != nil {
			return false, err.Error()
		}
		summary := traffic.Summarise(s.results)
		return summary.Failed == 0, summary.String()
	})
	if err != nil {
		t.Fatalf("waiting for the shop to answer: %v", err)
	}
}

// answer is what a run of the CLI gave back.
type answer struct {
	stdout, stderr string
	code           int
}

// odi runs bin/odi on the cluster and fails the test when it fails.
func (w *world) odi(t *testing.T, args ...string) answer {
	t.Helper()
	a := w.tryOdi(t, w.cluster.Kubeconfig, args...)
	if a.code != 0 {
		t.Fatalf("odi %s: exit %d\n%s%s", strings.Join(args, " "), a.code, a.stderr, a.stdout)
	}
	return a
}

// tryOdi runs bin/odi with a kubeconfig and returns also what failed.
func (w *world) tryOdi(t *testing.T, kubeconfig string, args ...string) answer {
	t.Helper()
	return w.runOdi(t.Context(), t, kubeconfig, args...)
}

func (w *world) runOdi(ctx context.Context, t *testing.T, kubeconfig string, args ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := program.CommandContext(ctx, t, w.odiPath, args...)
	cmd.Env = append(cmd.Env, "KUBECONFIG="+kubeconfig)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("odi %s: %v", strings.Join(args, " "), err)
	}
	return answer{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
}

// sent is a load with what became of it.
type sent struct {
	name string
	// started and until bound when its spans began; a zero until is no bound.
	started, until time.Time
	results        []traffic.Result
}

// between is the part of a load whose requests started in [from, to).
func (s sent) between(from, to time.Time) sent {
	part := sent{name: s.name, started: from, until: to}
	for _, r := range s.results {
		if !r.Start.Before(from) && r.Start.Before(to) {
			part.results = append(part.results, r)
		}
	}
	return part
}

// drive sends a load and fails the test when a request fails.
func (w *world) drive(t *testing.T, load traffic.Load) sent {
	t.Helper()
	s, err := w.tryDrive(t.Context(), load)
	if err != nil {
		t.Fatal(err)
	}
	if summary := traffic.Summarise(s.results); summary.Failed > 0 {
		t.Errorf("the shop failed under load %s: %s", s.name, summary)
	}
	return s
}

func (w *world) tryDrive(ctx context.Context, load traffic.Load) (sent, error) {
	if load.URL == "" {
		load.URL = shop.FrontURL
	}
	w.loads++
	load.Name = fmt.Sprintf("t%d-%02d", w.namedAt, w.loads)
	s := sent{name: load.Name, started: time.Now().Add(-time.Second)}
	results, err := w.cluster.Drive(ctx, load)
	s.results = results
	return s, err
}

// tracesOf asks Jaeger for all traces with a marker of a load, again until
// enough says true; then or when the time is over it returns what there is.
func (w *world) tracesOf(t *testing.T, s sent, within time.Duration, enough func([]trace.Trace) bool) []trace.Trace {
	t.Helper()
	var found []trace.Trace
	err := stage.Eventually(t.Context(), within, 500*time.Millisecond, func(ctx context.Context) (bool, string) {
		traces, err := w.fetch(ctx, s)
		if err != nil {
			return false, err.Error()
		}
		found = traces
		return enough(traces), fmt.Sprintf("%d traces are not enough", len(traces))
	})
	if err != nil {
		t.Logf("load %s: %v", s.name, err)
	}
	return found
}

// first shows at most n of the problems.
func first(n int, problems []string) string {
	if len(problems) > n {
		problems = append(problems[:n:n], fmt.Sprintf("and %d more", len(problems)-n))
	}
	return "  " + strings.Join(problems, "\n  ")
}
