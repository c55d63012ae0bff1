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
			want: []Reference{{"shop", odiv1.KindDeployment, "cart"}},
		},
		"a Deployment with dashes and digits": {
			owner: owner("apps/v1", "ReplicaSet", "cart-5d9c7f-5d9c7f"), hash: "5d9c7f",
			want: []Reference{{"shop", odiv1.KindDeployment, "cart-5d9c7f"}},
		},
		"a lone ReplicaSet":                         {owner: owner("apps/v1", "ReplicaSet", "cart")},
		"a ReplicaSet of another kind's controller": {owner: owner("apps/v1", "ReplicaSet", "cart-77"), hash: "66"},
		"a pod of a StatefulSet": {
			owner: owner("apps/v1", "StatefulSet", "db"),
			want:  []Reference{{"shop", odiv1.KindStatefulSet, "db"}},
		},
		"a pod of a DaemonSet": {
			owner: owner("apps/v1", "DaemonSet", "proxy"),
			want:  []Reference{{"shop", odiv1.KindDaemonSet, "proxy"}},
		},
		"a pod of a CronJob's Job": {
			owner: owner("batch/v1", "Job", "report-29384756"),
			want:  []Reference{{"shop", odiv1.KindCronJob, "report"}, {"shop", odiv1.KindJob, "report-29384756"}},
		},
		"a pod of a lone Job": {
			owner: owner("batch/v1", "Job", "migrate-7"),
			want:  []Reference{{"shop", odiv1.KindJob, "migrate-7"}},
		},
		"a Job with letters where the minute would be": {
			owner: owner("batch/v1", "Job", "migrate-2938475x"),
			want:  []Reference{{"shop", odiv1.KindJob, "migrate-2938475x"}},
		},
		"a lone pod":            {},
		"a pod of another kind": {owner: owner("argoproj.io/v1alpha1", "Workflow", "w")},
		"a kind of the same name in another group": {owner: owner("apps.kruise.io/v1", "StatefulSet", "db")},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Labels: map[string]string{}}}
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
		"sts": odiv1.KindStatefulSet, "cronjob": odiv1.KindCronJob, "job": odiv1.KindJob, "ds": odiv1.KindDaemonSet,
	} {
		got, err := ParseKind(word)
		if err != nil || got != want {
			t.Errorf("ParseKind(%q) = %q, %v; want %q", word, got, err, want)
		}
	}
	_, err := ParseKind("pod")
	want := `unknown kind of workload "pod"; one of deployment, statefulset, daemonset, cronjob, job`
	if err == nil || err.Error() != want {
		t.Errorf("ParseKind(pod): %v, want %s", err, want)
	}
}
