package node

import (
	"log/slog"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/testkit"
	"github.com/odi-dev/odi/internal/workload"
)

// TestOwnersSayWhoseAPodIs asks a real API server for owners whose names say nothing, or the wrong thing.
func TestOwnersSayWhoseAPodIs(t *testing.T) {
	api := testkit.Client(t, testkit.APIServer(t))
	testkit.Namespace(t, api, "shop")
	ref := func(kind odiv1.WorkloadKind, name string) workload.Reference {
		return workload.Reference{Namespace: "shop", Kind: kind, Name: name}
	}
	byHand := aJob("by-hand", "batch/v1", "CronJob", "report")
	scheduled := aJob("report-29384756", "batch/v1", "CronJob", "report")
	lone := aJob("migrate-20251125", "", "", "")
	jobSet := aJob("train-20251125", "jobset.x-k8s.io/v1alpha2", "JobSet", "train")
	canary := aReplicaSet("canary-6c5f", "argoproj.io/v1alpha1", "Rollout", "canary")
	adopted := aReplicaSet("cart-5d9", "apps/v1", "Deployment", "cart")
	orphan := aReplicaSet("left-5d9", "", "", "")
	testkit.Create(t, api, byHand, scheduled, lone, jobSet, canary, adopted, orphan)

	tests := map[string]struct {
		kind  string
		owner client.Object
		uid   types.UID // of the owner as the pod knows it; empty for the owner's
		want  []workload.Reference
	}{
		"a Job made of a CronJob by hand":     {"Job", byHand, "", []workload.Reference{ref("CronJob", "report"), ref("Job", "by-hand")}},
		"a Job that its CronJob scheduled":    {"Job", scheduled, "", []workload.Reference{ref("CronJob", "report"), ref("Job", "report-29384756")}},
		"a Job that is called like one":       {"Job", lone, "", []workload.Reference{ref("Job", "migrate-20251125")}},
		"a Job of another controller":         {"Job", jobSet, "", []workload.Reference{ref("Job", "train-20251125")}},
		"a Job of that name that came later":  {"Job", byHand, "other", []workload.Reference{ref("Job", "by-hand")}},
		"a revision of another controller":    {"ReplicaSet", canary, "", []workload.Reference{ref("Rollout.argoproj.io", "canary"), ref("ReplicaSet", "canary-6c5f")}},
		"a revision of a Deployment":          {"ReplicaSet", adopted, "", []workload.Reference{ref("Deployment", "cart"), ref("ReplicaSet", "cart-5d9")}},
		"a ReplicaSet whose Deployment is no": {"ReplicaSet", orphan, "", []workload.Reference{ref("ReplicaSet", "left-5d9")}},
	}
	changes := 0
	c := newCluster("n1", func() { changes++ })
	for name, tc := range tests {
		uid := tc.uid
		if uid == "" {
			uid = tc.owner.GetUID()
		}
		c.setPod(readPod(ownedPod(name, tc.kind, tc.owner.GetName(), uid)))
	}
	if !newOwners(api, c, slog.New(slog.DiscardHandler)).ask(t.Context()) {
		t.Fatal("an owner could not be asked")
	}
	for name, tc := range tests {
		got := c.pods["shop/"+name]
		if len(got.workloads) != len(tc.want) || got.asks {
			t.Errorf("%s: %v, asks %v; want %v", name, got.workloads, got.asks, tc.want)
			continue
		}
		for i := range tc.want {
			if got.workloads[i] != tc.want[i] {
				t.Errorf("%s: %v, want %v", name, got.workloads, tc.want)
			}
		}
	}

	t.Log("An answer is kept while there is a pod, and asked for again when the owner ceases to be a workload.")
	c.setPod(readPod(ownedPod("second", "Job", byHand.Name, byHand.UID)))
	if p := c.pods["shop/second"]; p.asks || p.workloads[0] != ref("CronJob", "report") {
		t.Errorf("a second pod of a known Job: %+v", p)
	}
	before := orphan.DeepCopy()
	orphan.OwnerReferences = madeBy("apps/v1", "Deployment", "left")
	if err := api.Patch(t.Context(), orphan, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	c.deleteWorkload(ref("ReplicaSet", "left-5d9"))
	o := newOwners(api, c, slog.New(slog.DiscardHandler))
	o.ask(t.Context())
	if got := c.pods["shop/a ReplicaSet whose Deployment is no"].workloads; got[0] != ref("Deployment", "left") {
		t.Errorf("an adopted ReplicaSet: %v", got)
	}
	for name := range tests {
		c.deletePod("shop", name)
	}
	c.deletePod("shop", "second")
	o.ask(t.Context())
	if len(c.owned) != 0 {
		t.Errorf("answers left over: %v", c.owned)
	}
	if changes == 0 {
		t.Error("nobody heard of the answers")
	}
}

func madeBy(apiVersion, kind, name string) []metav1.OwnerReference {
	if kind == "" {
		return nil
	}
	return []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, UID: types.UID("uid-" + name), Controller: new(true)}}
}

func aJob(name, apiVersion, kind, owner string) *batchv1.Job {
	j := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, OwnerReferences: madeBy(apiVersion, kind, owner)},
		Spec:       batchv1.JobSpec{Template: testkit.PodTemplate(name, "app")},
	}
	j.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
	return j
}

func aReplicaSet(name, apiVersion, kind, owner string) *appsv1.ReplicaSet {
	return &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, OwnerReferences: madeBy(apiVersion, kind, owner)},
		Spec: appsv1.ReplicaSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}, Template: testkit.PodTemplate(name, "app"),
		},
	}
}

func ownedPod(name, kind, owner string, uid types.UID) *corev1.Pod {
	apiVersion := "apps/v1"
	if kind == "Job" {
		apiVersion = "batch/v1"
	}
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: metav1.NewTime(time.Now()),
		OwnerReferences: []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: owner, UID: uid, Controller: new(true)}}}}
}
