//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/hack/demo/jaeger"
	"github.com/odi-dev/odi/hack/demo/shop"
)

// workloads is what must stay as it was: per pod its id, containers and
// restarts, and per Deployment its template.
type workloads struct {
	Pods      map[string]string
	Templates map[string]corev1.PodTemplateSpec
}

func (w *world) snapshotPods(t *testing.T) workloads {
	t.Helper()
	pods, err := w.cluster.Pods(t.Context(), shop.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	seen := workloads{Pods: map[string]string{}, Templates: map[string]corev1.PodTemplateSpec{}}
	for _, p := range pods {
		state := string(p.UID)
		for _, s := range p.Status.ContainerStatuses {
			state += fmt.Sprintf(" %s restarts=%d id=%s", s.Name, s.RestartCount, s.ContainerID)
		}
		seen.Pods[p.Name] = state
	}
	var deployments appsv1.DeploymentList
	if err := w.cluster.List(t.Context(), &deployments, client.InNamespace(shop.Namespace)); err != nil {
		t.Fatal(err)
	}
	for _, d := range deployments.Items {
		seen.Templates[d.Name] = d.Spec.Template
	}
	return seen
}

func (w *world) checkUntouched(t *testing.T, before workloads) {
	if diff := cmp.Diff(before, w.snapshotPods(t)); diff != "" {
		t.Errorf("the shop's pods are not as they were before odi (-before +after):\n%s", diff)
	}
}

// checkJaeger fails if Jaeger was restarted meanwhile: its traces are in memory,
// and every answer after that would lack some.
func (w *world) checkJaeger(t *testing.T) {
	pods, err := w.cluster.Pods(t.Context(), jaeger.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pods {
		for _, s := range p.Status.ContainerStatuses {
			if s.RestartCount > 0 {
				t.Errorf("pod %s was restarted %d times, last: %+v", p.Name, s.RestartCount, s.LastTerminationState.Terminated)
			}
		}
	}
}

// odigletPIDs finds the odiglets of this cluster among the machine's processes.
func (w *world) odigletPIDs(t *testing.T) []int {
	t.Helper()
	pods, err := w.cluster.Pods(t.Context(), "odi-system")
	if err != nil {
		t.Fatal(err)
	}
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, link := range links {
		exe, err := os.Readlink(link)
		if err != nil || filepath.Base(exe) != "odiglet" {
			continue // ended meanwhile, or another program
		}
		cgroup, err := os.ReadFile(filepath.Join(filepath.Dir(link), "cgroup"))
		if err != nil || !slices.ContainsFunc(pods, func(p corev1.Pod) bool { return inPod(string(cgroup), string(p.UID)) }) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err != nil {
			t.Fatal(err)
		}
		if !isGuard(pid) { // The guard is the same program, and ends by itself.
			pids = append(pids, pid)
		}
	}
	return pids
}

// inPod knows both ways in which cgroup drivers write a pod's id.
func inPod(cgroup, uid string) bool {
	return strings.Contains(cgroup, uid) || strings.Contains(cgroup, strings.ReplaceAll(uid, "-", "_"))
}
