package workload

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestObjectName(t *testing.T) {
	for name, tc := range map[string]struct {
		ref  Reference
		want string
	}{
		"kind and name":              {Reference{"shop", odiv1.KindDeployment, "cart"}, "deployment-cart"},
		"dots stay":                  {Reference{"shop", odiv1.KindStatefulSet, "db.eu"}, "statefulset-db.eu"},
		"the longest name that fits": {Reference{"shop", odiv1.KindJob, strings.Repeat("a", 249)}, "job-" + strings.Repeat("a", 249)},
		"a longer name ends in a hash": {
			Reference{"shop", odiv1.KindJob, strings.Repeat("a", 250)},
			"job-" + strings.Repeat("a", 238) + "-eb26bf7ab3",
		},
		"another controller's kind has its group": {Reference{"shop", "Rollout.argoproj.io", "web"}, "rollout.argoproj.io-web"},
		"a group with a dash cannot be taken for a part of a name": {
			Reference{"shop", "Job.batch.volcano-sh.io", "x"}, "job.batch.volcano-sh.io-x-7932860c93",
		},
		"no dot before the hash": {
			Reference{"shop", odiv1.KindJob, strings.Repeat("a", 236) + ".." + strings.Repeat("b", 15)},
			"job-" + strings.Repeat("a", 236) + "-4b08249ec7",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := tc.ref.ObjectName()
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if errs := validation.IsDNS1123Subdomain(got); len(errs) > 0 {
				t.Errorf("%s is no object name: %v", got, errs)
			}
		})
	}
}

func TestOfPod(t *testing.T) {
	for name, tc := range map[string]struct {
		owner *metav1.OwnerReference
		hash  string
		want  []Reference
	}{
		"a pod of a Deployment": {
			owner: owner("apps/v1", "ReplicaSet", "cart-5d9c7f"), hash: "5d9c7f",
			want: []Reference{{"shop", odiv1.KindDeployment, "cart"}, {"shop", odiv1.KindReplicaSet, "cart-5d9c7f"}},
		},
		"a Deployment with dashes and digits": {
			owner: owner("apps/v1", "ReplicaSet", "cart-5d9c7f-5d9c7f"), hash: "5d9c7f",
			want: []Reference{{"shop", odiv1.KindDeployment, "cart-5d9c7f"}, {"shop", odiv1.KindReplicaSet, "cart-5d9c7f-5d9c7f"}},
		},
		"a lone ReplicaSet": {
			owner: owner("apps/v1", "ReplicaSet", "cart"),
			want:  []Reference{{"shop", odiv1.KindReplicaSet, "cart"}},
		},
		"a ReplicaSet of another kind's controller": {
			owner: owner("apps/v1", "ReplicaSet", "cart-77"), hash: "66",
			want: []Reference{{"shop", odiv1.KindReplicaSet, "cart-77"}},
		},
		"a pod of a ReplicationController": {
			owner: owner("v1", "ReplicationController", "old"),
			want:  []Reference{{"shop", odiv1.KindReplicationController, "old"}},
		},
		"a pod of a StatefulSet": {
			owner: owner("apps/v1", "StatefulSet", "db"),
			want:  []Reference{{"shop", odiv1.KindStatefulSet, "db"}},
		},
		"a pod of a DaemonSet": {
			owner: owner("apps/v1", "DaemonSet", "proxy"),
			want:  []Reference{{"shop", odiv1.KindDaemonSet, "proxy"}},
		},
		"a Job's pod does not tell whether a CronJob made it": {
			owner: owner("batch/v1", "Job", "migrate-20251125"),
			want:  []Reference{{"shop", odiv1.KindJob, "migrate-20251125"}},
		},
		"a lone pod": {want: []Reference{{"shop", odiv1.KindPod, "alone"}}},
		"a static pod is its node's and nobody's": {
			owner: owner("v1", "Node", "n1"),
			want:  []Reference{{"shop", odiv1.KindPod, "alone"}},
		},
		"a pod that another pod made": {
			owner: owner("v1", "Pod", "driver"),
			want:  []Reference{{"shop", odiv1.KindPod, "driver"}},
		},
		"a pod of another controller": {
			owner: owner("argoproj.io/v1alpha1", "Workflow", "w"),
			want:  []Reference{{"shop", "Workflow.argoproj.io", "w"}},
		},
		"a kind of the same name in another group": {
			owner: owner("apps.kruise.io/v1", "StatefulSet", "db"),
			want:  []Reference{{"shop", "StatefulSet.apps.kruise.io", "db"}},
		},
		"an owner that is no controller by trade": {
			owner: owner("v1", "ConfigMap", "code"),
			want:  []Reference{{"shop", "ConfigMap.core", "code"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "alone", Labels: map[string]string{}}}
			if tc.owner != nil {
				pod.OwnerReferences = []metav1.OwnerReference{*tc.owner}
			}
			if tc.hash != "" {
				pod.Labels["pod-template-hash"] = tc.hash
			}
			if diff := cmp.Diff(tc.want, OfPod(pod)); diff != "" {
				t.Errorf("workloads of the pod (-want +got):\n%s", diff)
			}
		})
	}
}

func owner(apiVersion, kind, name string) *metav1.OwnerReference {
	isController := true
	return &metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: name, Controller: &isController}
}

func TestParseKind(t *testing.T) {
	for word, want := range map[string]odiv1.WorkloadKind{
		"deployment": odiv1.KindDeployment, "Deployments": odiv1.KindDeployment, "deploy": odiv1.KindDeployment,
		"pods": odiv1.KindPod, "rs": odiv1.KindReplicaSet, "replicationcontroller": odiv1.KindReplicationController,
		"Rollout.argoproj.io": "Rollout.argoproj.io",
		"sts":                 odiv1.KindStatefulSet, "cronjob": odiv1.KindCronJob, "job": odiv1.KindJob, "ds": odiv1.KindDaemonSet,
	} {
		got, err := ParseKind(word)
		if err != nil || got != want {
			t.Errorf("ParseKind(%q) = %q, %v; want %q", word, got, err, want)
		}
	}
	_, err := ParseKind("podd")
	want := `unknown kind of workload "podd"; one of deployment, statefulset, daemonset, cronjob, job, ` +
		"replicaset, replicationcontroller, pod, or kind.group of another"
	if err == nil || err.Error() != want {
		t.Errorf("ParseKind(podd): %v, want %s", err, want)
	}
}

// TestAbove holds that owners tell what a Job or a ReplicaSet is part of, and names do not.
func TestAbove(t *testing.T) {
	cron := Reference{"shop", odiv1.KindCronJob, "report"}
	for name, tc := range map[string]struct {
		kind  odiv1.WorkloadKind
		owner *metav1.OwnerReference
		want  Reference
	}{
		"a Job that a CronJob made, whatever its name": {odiv1.KindJob, owner("batch/v1", "CronJob", "report"), cron},
		"a lone Job":                      {odiv1.KindJob, nil, Reference{}},
		"a Job of another controller":     {odiv1.KindJob, owner("jobset.x-k8s.io/v1alpha2", "JobSet", "train"), Reference{}},
		"a lone ReplicaSet":               {odiv1.KindReplicaSet, nil, Reference{}},
		"a Deployment's ReplicaSet":       {odiv1.KindReplicaSet, owner("apps/v1", "Deployment", "cart"), Reference{"shop", odiv1.KindDeployment, "cart"}},
		"another controller's ReplicaSet": {odiv1.KindReplicaSet, owner("argoproj.io/v1alpha1", "Rollout", "web"), Reference{"shop", "Rollout.argoproj.io", "web"}},
	} {
		t.Run(name, func(t *testing.T) {
			object := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "report-29384756"}}
			if tc.owner != nil {
				object.OwnerReferences = []metav1.OwnerReference{*tc.owner}
			}
			got, covered := Above(object, tc.kind)
			if covered != (tc.want != Reference{}) || covered && got != tc.want {
				t.Errorf("got %v %v, want %v", got, covered, tc.want)
			}
		})
	}
}
