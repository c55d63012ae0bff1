package selection

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/testkit"
)

// TestOwners tells whose workload each pod of a namespace is, whatever made it.
func TestOwners(t *testing.T) {
	restConfig := testkit.APIServer(t)
	c := testkit.Client(t, restConfig)
	testkit.RunManager(t, restConfig, kube.Config{Namespace: "odi-system"}, Setup)
	testkit.Namespace(t, c, "shop")
	testkit.Create(t, c, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "default"}})
	all := config("shop", "all", odiv1.Target{})
	testkit.Create(t, c, all)
	wantConfig(t, c, all, verdict{metav1.ConditionTrue, odiv1.ReasonNoWorkloads, "No workload matches yet; one that appears will be instrumented at once."})

	t.Log("A pod that nothing made is a workload, and is none once it has ended.")
	alone := pod("alone")
	testkit.Create(t, c, alone)
	wantOwner(t, wantSelected(t, c, "shop", "pod-alone", "all"), "v1", "Pod", alone.UID)
	wantConfig(t, c, all, verdict{metav1.ConditionTrue, odiv1.ReasonSelected, "Selected 1 workload."})
	alone.Status.Phase = corev1.PodSucceeded
	if err := c.Status().Update(t.Context(), alone); err != nil {
		t.Fatal(err)
	}
	wantGone(t, c, "shop", "pod-alone")

	t.Log("A ReplicaSet and a ReplicationController that nothing made are workloads, their pods are not.")
	lone, old := replicaSet("lone"), &corev1.ReplicationController{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "old"}}
	template := testkit.PodTemplate("old", "app")
	old.Spec.Selector, old.Spec.Template = map[string]string{"app": "old"}, &template
	testkit.Create(t, c, lone, old)
	wantOwner(t, wantSelected(t, c, "shop", "replicaset-lone", "all"), "apps/v1", "ReplicaSet", lone.UID)
	wantOwner(t, wantSelected(t, c, "shop", "replicationcontroller-old", "all"), "v1", "ReplicationController", old.UID)
	testkit.Create(t, c, ownedBy(pod("lone-x"), "apps/v1", "ReplicaSet", lone.Name, lone.UID),
		ownedBy(pod("old-x"), "v1", "ReplicationController", old.Name, old.UID))

	t.Log("Another controller is known by what it made: revisions, or pods. Equal names of other kinds stay apart.")
	testkit.Create(t, c, ownedBy(replicaSet("lone-6c5f"), "argoproj.io/v1alpha1", "Rollout", "lone", "r1"),
		ownedBy(replicaSet("lone-77ab"), "argoproj.io/v1alpha1", "Rollout", "lone", "r1"),
		ownedBy(pod("worker-1"), "apps.kruise.io/v1", "StatefulSet", "lone", "k1"),
		ownedBy(pod("worker-2"), "apps.kruise.io/v1", "StatefulSet", "lone", "k1"))
	iw := wantSelected(t, c, "shop", "rollout.argoproj.io-lone", "all")
	wantOwner(t, iw, "argoproj.io/v1alpha1", "Rollout", "r1")
	if iw.Spec.Workload != (odiv1.WorkloadReference{Kind: "Rollout.argoproj.io", Name: "lone"}) {
		t.Errorf("the workload of a Rollout is %+v", iw.Spec.Workload)
	}
	wantOwner(t, wantSelected(t, c, "shop", "statefulset.apps.kruise.io-lone", "all"), "apps.kruise.io/v1", "StatefulSet", "k1")

	t.Log("A CronJob's Jobs are its own by their owner, and a Job that is only called like one is itself.")
	cron := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "report"}}
	cron.Spec.Schedule = "@daily"
	cron.Spec.JobTemplate.Spec = job("x").Spec
	testkit.Create(t, c, cron)
	testkit.Create(t, c, ownedBy(job("by-hand"), "batch/v1", "CronJob", cron.Name, cron.UID), job("report-20251125"))
	wantSelected(t, c, "shop", "cronjob-report", "all")
	wantSelected(t, c, "shop", "job-report-20251125", "all")
	wantConfig(t, c, all, verdict{metav1.ConditionTrue, odiv1.ReasonSelected, "Selected 6 workloads."})
	for _, covered := range []string{"pod-lone-x", "pod-old-x", "pod-worker-1", "replicaset-lone-6c5f", "job-by-hand"} {
		wantGone(t, c, "shop", covered)
	}

	t.Log("One of another controller can be named.")
	testkit.Create(t, c, config("shop", "rollout", odiv1.Target{Kind: "Rollout.argoproj.io", Name: "lone"}))
	wantSelected(t, c, "shop", "rollout.argoproj.io-lone", "rollout")

	t.Log("A workload that is made anew under its name is another one.")
	cart := deployment("shop", "cart", "tier", "web")
	testkit.Create(t, c, cart)
	wantOwner(t, wantSelected(t, c, "shop", "deployment-cart", "all"), "apps/v1", "Deployment", cart.UID)
	if err := c.Delete(t.Context(), cart); err != nil {
		t.Fatal(err)
	}
	again := deployment("shop", "cart", "tier", "web")
	testkit.Create(t, c, again)
	testkit.EventuallyObject(t, c, &odiv1.InstrumentedWorkload{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "deployment-cart"}},
		"the new cart owns its InstrumentedWorkload", func(iw *odiv1.InstrumentedWorkload) bool {
			return len(iw.OwnerReferences) == 1 && iw.OwnerReferences[0].UID == again.UID
		})

	t.Log("A ReplicaSet that is adopted ceases to be a workload.")
	before := lone.DeepCopy()
	ownedBy(lone, "apps/v1", "Deployment", again.Name, again.UID)
	if err := c.Patch(t.Context(), lone, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	wantGone(t, c, "shop", "replicaset-lone")
}

func pod(name string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	p.Spec.Containers = testkit.PodTemplate("a", "app").Spec.Containers
	return p
}

func replicaSet(name string) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: appsv1.ReplicaSetSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}, Template: testkit.PodTemplate(name, "app"),
	}}
}

func job(name string) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: batchv1.JobSpec{Template: testkit.PodTemplate("a", "app")}}
	j.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	return j
}

func ownedBy[T client.Object](obj T, apiVersion, kind, name string, uid types.UID) T {
	obj.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, UID: uid, Controller: new(true)}})
	return obj
}

func wantOwner(t *testing.T, iw *odiv1.InstrumentedWorkload, apiVersion, kind string, uid types.UID) {
	t.Helper()
	want := metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: iw.Spec.Workload.Name, UID: uid}
	if len(iw.OwnerReferences) != 1 || iw.OwnerReferences[0] != want {
		t.Errorf("%s is owned by %+v, want %+v", iw.Name, iw.OwnerReferences, want)
	}
}
