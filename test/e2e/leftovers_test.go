//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/stage"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// leftovers is what there was before odi came.
type leftovers struct {
	objects map[string]bool
}

func (w *world) snapshotLeftovers(t *testing.T) leftovers {
	t.Helper()
	objects, err := w.cluster.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := leftovers{objects: map[string]bool{}}
	for _, o := range objects {
		before.objects[key(o)] = true
	}
	return before
}

func key(o metav1.PartialObjectMetadata) string {
	return fmt.Sprintf("%s %s/%s", o.GroupVersionKind().GroupKind(), o.Namespace, o.Name)
}

// coming says that objects of a kind or namespace come and go without odi.
func coming(o metav1.PartialObjectMetadata) bool {
	switch o.Namespace {
	case shop.Namespace, jaeger.Namespace, "traffic", "kube-system", "kube-node-lease":
		return true
	}
	return o.Kind == "PodMetrics" || o.Kind == "NodeMetrics" || o.Kind == "IPAddress"
}

// expectNothingLeft waits until every object that odi brought is gone, and
// every label and annotation too.
func (w *world) expectNothingLeft(t *testing.T, before leftovers) {
	t.Helper()
	err := stage.Eventually(t.Context(), 60*time.Second, time.Second, func(ctx context.Context) (bool, string) {
		objects, err := w.cluster.Objects(ctx)
		if err != nil {
			return false, err.Error()
		}
		var left []string
		for _, o := range objects {
			if !before.objects[key(o)] && !coming(o) {
				left = append(left, key(o))
			}
			left = append(left, marks(o)...)
		}
		return len(left) == 0, "left behind:\n" + first(20, left)
	})
	if err != nil {
		t.Error(err)
	}
}

// marks are odi's labels, annotations and finalizers on an object.
func marks(o metav1.PartialObjectMetadata) []string {
	var found []string
	for _, names := range []map[string]string{o.Labels, o.Annotations} {
		for name := range names {
			if strings.Contains(name, "odi.dev") {
				found = append(found, key(o)+" still has "+name)
			}
		}
	}
	for _, name := range o.Finalizers {
		if strings.Contains(name, "odi.dev") {
			found = append(found, key(o)+" still has the finalizer "+name)
		}
	}
	return found
}

func (w *world) checkUninstall(t *testing.T, before leftovers) {
	pods, err := w.cluster.Pods(t.Context(), "odi-system")
	if err != nil {
		t.Fatal(err)
	}
	var held kernelObjects
	var guards []int
	if !w.foreign {
		guards = guardsOf(t, w.odigletPIDs(t))
		for _, pid := range w.odigletPIDs(t) {
			held = append(held, heldBy(t, pid)...)
		}
		if len(held) == 0 {
			t.Error("no BPF program or link is held by the odiglet: the check would prove nothing")
		}
	}
	w.odi(t, "uninstall", "--yes", "--include-crds")
	w.expectNothingLeft(t, before)
	expectReleased(t, held)
	expectEnded(t, guards)
	for _, pod := range pods {
		expectUnmounted(t, string(pod.UID))
	}
}

// expectUnmounted waits until no mount of this machine has a pod's id in it.
func expectUnmounted(t *testing.T, uid string) {
	t.Helper()
	err := stage.Eventually(t.Context(), 30*time.Second, time.Second, func(context.Context) (bool, string) {
		table, err := os.ReadFile("/proc/self/mountinfo")
		if err != nil {
			return false, err.Error()
		}
		return !strings.Contains(string(table), uid), "mounts of pod " + uid + " remain"
	})
	if err != nil {
		t.Error(err)
	}
}

// kernelObjects are BPF programs and links, each as bpftool's arguments that show it.
type kernelObjects [][3]string

// heldBy reads which BPF objects a process has open.
func heldBy(t *testing.T, pid int) kernelObjects {
	t.Helper()
	infos, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	var held kernelObjects
	for _, path := range infos {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // closed meanwhile
		}
		for line := range strings.Lines(string(text)) {
			name, id, _ := strings.Cut(strings.TrimSpace(line), ":")
			what := map[string]string{"prog_id": "prog", "link_id": "link"}[name]
			if what == "" {
				continue
			}
			if o := [3]string{what, "id", strings.TrimSpace(id)}; !slices.Contains(held, o) {
				held = append(held, o)
			}
		}
	}
	return held
}

// expectReleased waits until the kernel has freed the objects.
func expectReleased(t *testing.T, held kernelObjects) {
	t.Helper()
	err := stage.Eventually(t.Context(), 15*time.Second, 500*time.Millisecond, func(context.Context) (bool, string) {
		var left []string
		for _, o := range held {
			output, err := program.Command(t, "bpftool", o[0], "show", o[1], o[2]).CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				return false, err.Error()
			}
			if err == nil {
				left = append(left, strings.TrimSpace(string(output)))
			}
		}
		return len(left) == 0, "still in the kernel:\n" + first(10, left)
	})
	if err != nil {
		t.Error(err)
	}
}
