package decide

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
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

	t.Log("The user asks for an agent, beside the other one.")
	patch(t, c, config, func() { config.Spec.Method = odiv1.MethodAgent })
	wantReasons(t, c, iw, odiv1.ReasonOtherAgentPresent, odiv1.ReasonContainerIgnored)
	wantMethods(t, c, iw, "app=eBPF, logs=None")

	t.Log("The other agent has gone, and the user brings an image.")
	patch(t, c, config, func() {
		config.Spec.Agents = []odiv1.AgentChoice{{Language: "java", Image: "example.test/agents/java:7"}}
	})
	patchStatus(t, c, iw, []odiv1.ContainerStatus{{Name: "app", Runtime: odiv1.Runtime{Language: "java", Version: "17.0.9"}}})
	wantReasons(t, c, iw, odiv1.ReasonMethodAgent, odiv1.ReasonContainerIgnored)
	if agent := iw.Spec.Containers[0].Agent; agent.Image != "example.test/agents/java:7" || agent.Language != "java" || agent.Version == "" {
		t.Errorf("the agent is %+v", agent)
	}
	testkit.WantEvent(t, c, cart, odiv1.ReasonMethodAgent)

	t.Log("A version that there is not leaves the pods as they are, and the condition says so.")
	agent := iw.Spec.Containers[0].Agent
	patch(t, c, config, func() { config.Spec.Agents = []odiv1.AgentChoice{{Language: "java", Version: "0.0.1"}} })
	wantUnknown(t, c, iw, agent)
	patch(t, c, config, func() {
		config.Spec.Agents = []odiv1.AgentChoice{{Language: "java", Image: "example.test/agents/java:7"}}
	})
	wantReasons(t, c, iw, odiv1.ReasonMethodAgent, odiv1.ReasonContainerIgnored)

	t.Log("It failed with the image that a pod has, and is tried anew with another one.")
	pod := podOf(t, c, cart, "example.test/app@sha256:01")
	fail(t, c, iw, odiv1.AgentFailure{
		Container: "app", ImageID: "example.test/app@sha256:01", Agent: agent.Language + "@" + agent.Version,
		Reason: odiv1.ReasonCrashLoop, Message: "It ended.", At: metav1.Now(),
	})
	wantReasons(t, c, iw, odiv1.ReasonAgentFailedBefore, odiv1.ReasonContainerIgnored)
	runs(t, c, pod, "example.test/app@sha256:02")
	wantReasons(t, c, iw, odiv1.ReasonMethodAgent, odiv1.ReasonContainerIgnored)

	t.Log("The pod template gets another container, of which nothing is known.")
	patch(t, c, cart, func() { cart.Spec.Template = testkit.PodTemplate("cart", "app", "logs", "new") })
	wantReasons(t, c, iw, odiv1.ReasonMethodAgent, odiv1.ReasonContainerIgnored, odiv1.ReasonRuntimeUnknown)

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
	wantReasons(t, c, later, odiv1.ReasonRuntimeUnknown)
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

// wantUnknown waits for the word about a version that there is not; the agent stays as it was.
func wantUnknown(t *testing.T, c client.Client, iw *odiv1.InstrumentedWorkload, agent odiv1.AgentReference) {
	t.Helper()
	testkit.EventuallyObject(t, c, iw, "the version is unknown", func(iw *odiv1.InstrumentedWorkload) bool {
		decided := meta.FindStatusCondition(iw.Status.Conditions, odiv1.ConditionDecided)
		first := iw.Spec.Containers[0]
		return decided.Status == metav1.ConditionFalse && decided.Reason == odiv1.ReasonUnknownAgentVersion &&
			first.Reason == odiv1.ReasonUnknownAgentVersion && first.Method == odiv1.MethodAgent && first.Agent == agent
	})
}

// podOf is a pod of the Deployment, as its controller would make it, whose container app runs an image.
func podOf(t *testing.T, c client.Client, d *appsv1.Deployment, image string) *corev1.Pod {
	t.Helper()
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.Namespace, Name: d.Name + "-1", OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment")),
		}},
		Spec: appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template},
	}
	testkit.Create(t, c, set)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.Namespace, Name: d.Name + "-1-x", OwnerReferences: []metav1.OwnerReference{
			*metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("ReplicaSet")),
		}},
		Spec: d.Spec.Template.Spec,
	}
	testkit.Create(t, c, pod)
	runs(t, c, pod, image)
	return pod
}

// runs plays the kubelet.
func runs(t *testing.T, c client.Client, pod *corev1.Pod, image string) {
	t.Helper()
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", ImageID: image, Image: image}}
	if err := c.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
}

// fail plays the rollout controller.
func fail(t *testing.T, c client.Client, iw *odiv1.InstrumentedWorkload, f odiv1.AgentFailure) {
	t.Helper()
	before := iw.DeepCopy()
	iw.Status.Rollout.Failures = []odiv1.AgentFailure{f}
	if err := c.Status().Patch(t.Context(), iw, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
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
