package decide

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestStory tells how a workload gets its methods and how they follow the config,
// the pod template and the detected runtimes.
func TestStory(t *testing.T) {
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	testkit.RunManager(t, restConfig, kube.Config{Namespace: "odi-system"}, Setup)
	testkit.Namespace(t, c, "shop")
	config := &odiv1.InstrumentationConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "all"}}
	cart := testkit.Deployment("shop", "cart", "app", "logs")
	testkit.Create(t, c, config, cart)
	iw := testkit.Selected(cart, "all")
	testkit.Create(t, c, iw)

	t.Log("A workload is decided as soon as it is selected.")
	wantReasons(t, c, iw, odiv1.ReasonMethodEBPF, odiv1.ReasonMethodEBPF)
	wantMethods(t, c, iw, "eBPF")
	testkit.WantEvent(t, c, cart, odiv1.ReasonMethodEBPF)

	t.Log("The user switches one container off.")
	patch(t, c, config, func() {
		config.Spec.Containers = []odiv1.ContainerOverride{{Name: "logs", Method: odiv1.MethodNone}}
	})
	wantReasons(t, c, iw, odiv1.ReasonMethodEBPF, odiv1.ReasonContainerIgnored)
	wantMethods(t, c, iw, "app=eBPF, logs=None")
	testkit.WantEvent(t, c, cart, odiv1.ReasonContainerIgnored)

	t.Log("An odiglet finds another agent.")
	patchStatus(t, c, iw, []odiv1.ContainerStatus{{Name: "app", Runtime: odiv1.Runtime{Language: "java", OtherAgent: "Datadog"}}})
	wantReasons(t, c, iw, odiv1.ReasonOtherAgentPresent, odiv1.ReasonContainerIgnored)

	t.Log("The user asks for an agent, which is eBPF for now.")
	patch(t, c, config, func() { config.Spec.Method = odiv1.MethodAgent })
	wantReasons(t, c, iw, odiv1.ReasonAgentsUnavailable, odiv1.ReasonContainerIgnored)

	t.Log("The pod template gets another container.")
	patch(t, c, cart, func() { cart.Spec.Template = testkit.PodTemplate("cart", "app", "logs", "new") })
	wantReasons(t, c, iw, odiv1.ReasonAgentsUnavailable, odiv1.ReasonContainerIgnored, odiv1.ReasonAgentsUnavailable)

	t.Log("What select wrote is still there.")
	if iw.Spec.Workload.Name != "cart" || iw.Spec.Config != "all" {
		t.Errorf("spec is %+v", iw.Spec)
	}

	t.Log("Its InstrumentedWorkload is deleted and stays so.")
	if err := c.Delete(t.Context(), iw); err != nil {
		t.Fatal(err)
	}
	other := testkit.Deployment("shop", "other", "app")
	testkit.Create(t, c, other)
	later := testkit.Selected(other, "all")
	testkit.Create(t, c, later)
	wantReasons(t, c, later, odiv1.ReasonAgentsUnavailable)
	var list odiv1.InstrumentedWorkloadList
	if err := c.List(t.Context(), &list); err != nil || len(list.Items) != 1 {
		t.Errorf("%d InstrumentedWorkloads (%v), want that of other alone", len(list.Items), err)
	}
}

func wantReasons(t *testing.T, c client.Client, iw *odiv1.InstrumentedWorkload, want ...string) {
	t.Helper()
	testkit.EventuallyObject(t, c, iw, iw.Name+" is decided", func(iw *odiv1.InstrumentedWorkload) bool {
		var got []string
		for _, d := range iw.Spec.Containers {
			got = append(got, d.Reason)
		}
		return slices.Equal(got, want)
	})
}

func wantMethods(t *testing.T, c client.Client, iw *odiv1.InstrumentedWorkload, want string) {
	t.Helper()
	testkit.EventuallyObject(t, c, iw, iw.Name+" says "+want, func(iw *odiv1.InstrumentedWorkload) bool {
		decided := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionDecided)
		return iw.Status.Methods == want && iw.Status.ObservedGeneration == iw.Generation &&
			decided != nil && decided.Status == metav1.ConditionTrue && decided.ObservedGeneration == iw.Generation
	})
}

func patch(t *testing.T, c client.Client, obj client.Object, change func()) {
	t.Helper()
	before := obj.DeepCopyObject().(client.Object)
	change()
	if err := c.Patch(t.Context(), obj, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// patchStatus plays the facts controller.
func patchStatus(t *testing.T, c client.Client, iw *odiv1.InstrumentedWorkload, containers []odiv1.ContainerStatus) {
	t.Helper()
	before := iw.DeepCopy()
	iw.Status.Containers = containers
	if err := c.Status().Patch(t.Context(), iw, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}
