package cli_test

import (
	"context"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
)

// ended is how a command that ran beside a test ended.
type ended struct {
	text string
	code int
}

// begins runs a command beside the test.
func (h house) begins(ctx context.Context, line string) <-chan ended {
	done := make(chan ended, 1)
	go func() {
		out, err, code := h.typesUntil(ctx, line)
		done <- ended{out + err, code}
	}()
	return done
}

// is tells whether the object of this name is in odi's namespace.
func (h house) is(obj client.Object, name string) bool {
	h.t.Helper()
	err := h.c.Get(h.t.Context(), client.ObjectKey{Namespace: "odi-system", Name: name}, obj)
	if client.IgnoreNotFound(err) != nil {
		h.t.Fatal(err)
	}
	return !apierrors.IsNotFound(err)
}

// pod makes one of a component of odi's; nobody else does here.
func (h house) pod(component string) *corev1.Pod {
	h.t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: component + "-x", Labels: map[string]string{
			"app.kubernetes.io/part-of": "odi", odiv1.LabelComponent: component,
		}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: component, Image: "odi"}}},
	}
	testkit.Create(h.t, h.c, pod)
	return pod
}

// TestUninstallEndsInTheOrderOfTheData: each part goes when those before it have.
func TestUninstallEndsInTheOrderOfTheData(t *testing.T) {
	h := newHouse(t)
	testkit.Namespace(t, h.c, "odi-system") // it stays: nobody ends namespaces here
	h.sees(install, 0, "")
	sign := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: odiv1.OdigletLease("n1"), Labels: map[string]string{
		odiv1.LabelManagedBy: odiv1.ManagedByOdi, odiv1.LabelComponent: odiv1.ComponentOdiglet,
	}}}
	somebodys := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "odi-system", Name: "somebodys"}}
	testkit.Create(t, h.c, sign, somebodys)
	odiglet, node := h.pod("odiglet"), h.pod("node-collector")
	done := h.begins(t.Context(), "uninstall --yes --include-crds")
	steps := []struct {
		gone  string
		stays []client.Object
		then  *corev1.Pod
	}{
		{"odiglet", []client.Object{&appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "odi-node-collector"}}, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "odi-gateway"}}}, odiglet},
		{"odi-node-collector", []client.Object{&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "odi-gateway"}}}, node},
	}
	for _, step := range steps {
		testkit.Eventually(t, time.Minute, step.gone+" is gone", func() bool { return !h.is(&appsv1.DaemonSet{}, step.gone) })
		time.Sleep(2 * time.Second) // Whatever would go too soon has gone by then.
		for _, obj := range step.stays {
			if !h.is(obj, obj.GetName()) {
				t.Errorf("%s went before the pods of %s", obj.GetName(), step.gone)
			}
		}
		if err := h.c.Delete(t.Context(), step.then, client.GracePeriodSeconds(0)); err != nil {
			t.Fatal(err)
		}
	}
	if e := <-done; e.code != 0 || !strings.Contains(e.text, "odi is uninstalled") {
		t.Errorf("odi uninstall ended with %d and\n%s", e.code, e.text)
	}
	if h.is(&appsv1.Deployment{}, "odi-gateway") {
		t.Error("the gateway is left")
	}
	if h.is(&coordinationv1.Lease{}, sign.Name) || !h.is(&coordinationv1.Lease{}, somebodys.Name) {
		t.Error("a sign of life is left, or somebody else's Lease is gone")
	}
}

// TestRemoveWaitsForTheGateway: a destination goes when somebody who knows says that nothing is sent there.
func TestRemoveWaitsForTheGateway(t *testing.T) {
	h := newHouse(t)
	h.sees(install, 0, "")
	testkit.Eventually(t, time.Minute, "the kinds are served", func() bool {
		_, _, code := h.types("destination add jaeger --endpoint http://jaeger:4317")
		return code == 0
	})
	say := func(status metav1.ConditionStatus, reason string) {
		t.Helper()
		d := &odiv1.Destination{}
		if !h.is(d, "jaeger") {
			t.Fatal("the destination is gone")
		}
		d.Status.Conditions = []metav1.Condition{{Type: odiv1.ConditionExporting, Status: status, Reason: reason, ObservedGeneration: d.Generation, LastTransitionTime: metav1.Now()}}
		if err := h.c.Status().Update(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	off := func() bool { d := &odiv1.Destination{}; return h.is(d, "jaeger") && d.Spec.Disabled }

	say(metav1.ConditionTrue, odiv1.ReasonExporting)
	ctx, interrupt := context.WithCancel(t.Context())
	done := h.begins(ctx, "destination remove jaeger")
	testkit.Eventually(t, 10*time.Second, "it is switched off", off)
	interrupt()
	if e := <-done; e.code != 1 || !strings.Contains(e.text, "odi-system/jaeger is switched off (spec.disabled) and still there") {
		t.Errorf("interrupted, it ended with %d and\n%s", e.code, e.text)
	}

	done = h.begins(t.Context(), "destination remove jaeger")
	time.Sleep(2 * time.Second)
	if !off() {
		t.Fatal("it went though the gateway may still send there")
	}
	say(metav1.ConditionFalse, odiv1.ReasonDisabled)
	if e := <-done; e.code != 0 || h.is(&odiv1.Destination{}, "jaeger") {
		t.Errorf("it ended with %d and\n%s", e.code, e.text)
	}
}
