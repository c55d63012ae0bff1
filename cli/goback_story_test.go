package cli_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"helm.sh/helm/v4/pkg/release/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
)

// nowhere is the tag of an image that no registry has.
const nowhere = "no-such-tag"

// TestAFailedUpgradeGoesBack: the cause comes from the new pods, and with --atomic odi is what it was before.
func TestAFailedUpgradeGoesBack(t *testing.T) {
	h := newHouse(t)
	h.sees(install+" --set manager.logLevel=debug", 0, "")
	report := &odiv1.NodeInstrumentation{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	testkit.Create(t, h.c, report)
	report.Status = odiv1.NodeInstrumentationStatus{Kernel: "6.12", Conditions: []metav1.Condition{
		{Type: odiv1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Succeeded", LastTransitionTime: metav1.Now()},
	}}
	if err := h.c.Status().Update(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	odiglet := h.pod("odiglet")
	odiglet.Status = well
	if err := h.c.Status().Update(t.Context(), odiglet); err != nil {
		t.Fatal(err)
	}
	if err := h.c.SubResource("binding").Create(t.Context(), odiglet, &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: "n1"}}); err != nil {
		t.Fatal(err)
	}
	defer h.rollsOut()()
	h.sees("upgrade --timeout 30s", 0, "odi in odi-system: ")

	const cause = `manager is not ready: 0 of 1 ready, 1 of the version before: container manager: ImagePullBackOff: no such image`
	h.sees("upgrade --atomic --wait=false", 2, "--atomic waits")
	h.sees("upgrade --timeout 3s --set image.tag="+nowhere, 1, "odi: timed out after 3s: "+cause+`.*; to go back to \S+: helm rollback odi 2 -n odi-system`)
	h.sees("upgrade --timeout 30s --set image.tag=", 0, "odi in odi-system: ")

	h.sees("upgrade --atomic --timeout 5s --set image.tag="+nowhere+",manager.replicas=2", 1,
		"the upgrade failed: timed out after 5s: "+strings.ReplaceAll(cause, "0 of 1", "0 of 2")+".*going back to .*odi in odi-system is as it was before")
	if got := h.status(); got != common.StatusDeployed {
		t.Errorf("the release is %s", got)
	}
	last, err := h.helm("odi-system").Releases.Last("odi")
	if err != nil {
		t.Fatal(err)
	}
	manager, _ := last.(*releasev1.Release).Config["manager"].(map[string]any)
	if manager["replicas"] != nil || manager["logLevel"] != "debug" {
		t.Errorf("the values are %v", last.(*releasev1.Release).Config)
	}
	d := &appsv1.Deployment{}
	if !h.is(d, "odi-manager") || strings.HasSuffix(d.Spec.Template.Spec.Containers[0].Image, nowhere) || *d.Spec.Replicas != 1 {
		t.Errorf("the manager is of %s", d.Spec.Template.Spec.Containers[0].Image)
	}
}

// well is the status of a pod that works.
var well = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}

// rollsOut plays the cluster's controllers: what has an image becomes ready, and what has none waits for it beside
// the version before. What it returns ends it.
func (h house) rollsOut() (end func()) {
	ctx, stop := context.WithCancel(h.t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			h.rollOut(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return func() { stop(); done.Wait() }
}

// rollOut looks once; whoever writes at the same time is looked at next time.
func (h house) rollOut(ctx context.Context) {
	var deployments appsv1.DeploymentList
	var daemonSets appsv1.DaemonSetList
	_ = h.c.List(ctx, &deployments, client.InNamespace("odi-system"))
	_ = h.c.List(ctx, &daemonSets, client.InNamespace("odi-system"))
	for i := range deployments.Items {
		d := &deployments.Items[i]
		n := *d.Spec.Replicas
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n}
		if strings.HasSuffix(d.Spec.Template.Spec.Containers[0].Image, nowhere) {
			d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: n + 1, UpdatedReplicas: n, ReadyReplicas: 1, AvailableReplicas: 1}
			h.pulls(ctx)
		}
		_ = h.c.Status().Update(ctx, d)
	}
	for i := range daemonSets.Items {
		d := &daemonSets.Items[i]
		d.Status = appsv1.DaemonSetStatus{ObservedGeneration: d.Generation, DesiredNumberScheduled: 1, CurrentNumberScheduled: 1, UpdatedNumberScheduled: 1, NumberReady: 1, NumberAvailable: 1}
		_ = h.c.Status().Update(ctx, d)
	}
}

// pulls makes the manager's pod that waits for its image.
func (h house) pulls(ctx context.Context) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "manager-new", Labels: map[string]string{odiv1.LabelComponent: "manager"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "manager", Image: nowhere}}},
	}
	if h.c.Create(ctx, pod) != nil {
		return // It is there.
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "manager", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}},
	}}
	_ = h.c.Status().Update(ctx, pod)
}
