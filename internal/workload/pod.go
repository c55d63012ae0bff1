package workload

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// scheduleDigits is the length of the minute since 1970 at which a CronJob's Job
// is due, with which the CronJob controller ends its Jobs' names (until 2160).
const scheduleDigits = 8

// OfPod names the workloads that a pod may belong to, the likeliest first, from
// the pod alone: reading each pod's ReplicaSet or Job would cost a watch of them
// on every node. There is none for a pod that no workload owns. There are two only
// for a Job's pod: a CronJob's Job is told by its name, and a lone Job
// may be called the same; the one that is selected is meant.
func OfPod(pod *corev1.Pod) []Reference {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return nil
	}
	ref := func(kind odiv1.WorkloadKind, name string) Reference {
		return Reference{Namespace: pod.Namespace, Kind: kind, Name: name}
	}
	switch owner.APIVersion + " " + owner.Kind {
	case "apps/v1 ReplicaSet":
		hash := pod.Labels["pod-template-hash"]
		name, cut := strings.CutSuffix(owner.Name, "-"+hash)
		if hash == "" || !cut || name == "" {
			return nil // A ReplicaSet that no Deployment made.
		}
		return []Reference{ref(odiv1.KindDeployment, name)}
	case "apps/v1 StatefulSet":
		return []Reference{ref(odiv1.KindStatefulSet, owner.Name)}
	case "apps/v1 DaemonSet":
		return []Reference{ref(odiv1.KindDaemonSet, owner.Name)}
	case "batch/v1 Job":
		job := ref(odiv1.KindJob, owner.Name)
		if name, ok := cronJobOf(owner.Name); ok {
			return []Reference{ref(odiv1.KindCronJob, name), job}
		}
		return []Reference{job}
	}
	return nil
}

// cronJobOf takes the scheduled minute off a Job's name.
func cronJobOf(job string) (string, bool) {
	dash := strings.LastIndexByte(job, '-')
	if dash <= 0 || len(job)-dash-1 != scheduleDigits {
		return "", false
	}
	for _, c := range job[dash+1:] {
		if c < '0' || c > '9' {
			return "", false
		}
	}
	return job[:dash], true
}
