package workload

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// coreGroup stands for the API group without a name in the kind of another owner.
const coreGroup = "core"

// builtin are the kinds of workload by API group and kind.
var builtin = map[string]odiv1.WorkloadKind{
	"apps/Deployment": odiv1.KindDeployment, "apps/StatefulSet": odiv1.KindStatefulSet,
	"apps/DaemonSet": odiv1.KindDaemonSet, "apps/ReplicaSet": odiv1.KindReplicaSet,
	"batch/CronJob": odiv1.KindCronJob, "batch/Job": odiv1.KindJob,
	"core/ReplicationController": odiv1.KindReplicationController, "core/Pod": odiv1.KindPod,
}

// OfOwner is the workload that an owner reference means. A kind that odi does not
// know keeps its group, so that kinds of equal names stay apart.
func OfOwner(namespace string, owner metav1.OwnerReference) Reference {
	group, _, grouped := strings.Cut(owner.APIVersion, "/")
	if !grouped {
		group = coreGroup
	}
	kind, known := builtin[group+"/"+owner.Kind]
	if !known {
		kind = odiv1.WorkloadKind(owner.Kind + "." + group)
	}
	return Reference{Namespace: namespace, Kind: kind, Name: owner.Name}
}

// IsBuiltin says whether a kind is one of Kinds; any other is another controller's.
func IsBuiltin(kind odiv1.WorkloadKind) bool {
	return slices.Contains(Kinds(), kind)
}

// Controller is the owner that made an object; nil when nothing did. The node that
// a static pod is bound to made nothing.
func Controller(obj metav1.Object) *metav1.OwnerReference {
	owner := metav1.GetControllerOf(obj)
	if owner != nil && owner.APIVersion == "v1" && owner.Kind == "Node" {
		return nil
	}
	return owner
}

// OfPod names the workloads that a pod may belong to, the likeliest first, from
// the pod alone; the one that is selected is meant. What made a Job or a ReplicaSet
// is not written on its pods: see Asks. For a Deployment its hash is a good guess.
func OfPod(pod *corev1.Pod) []Reference {
	owner := Controller(pod)
	if owner == nil {
		return []Reference{{Namespace: pod.Namespace, Kind: odiv1.KindPod, Name: pod.Name}}
	}
	direct := OfOwner(pod.Namespace, *owner)
	if name := deploymentOf(pod, direct); name != "" {
		return []Reference{{Namespace: pod.Namespace, Kind: odiv1.KindDeployment, Name: name}, direct}
	}
	return []Reference{direct}
}

// Asks says whether the pod's owner has to be asked which workload it is: a Job may be a CronJob's,
// a ReplicaSet another controller's. Names do not tell: people make Jobs of CronJobs by hand, and
// name their own as they like.
func Asks(pod *corev1.Pod) bool {
	owner := Controller(pod)
	if owner == nil {
		return false
	}
	kind := OfOwner(pod.Namespace, *owner).Kind
	return kind == odiv1.KindJob || kind == odiv1.KindReplicaSet
}

// Above names the workload of a Job or ReplicaSet, from its own owner; false when it is one itself.
func Above(obj metav1.Object, kind odiv1.WorkloadKind) (Reference, bool) {
	owner := Controller(obj)
	if owner == nil {
		return Reference{}, false
	}
	ref := OfOwner(obj.GetNamespace(), *owner)
	// A Job that something else than a CronJob made is known by its own name.
	return ref, kind == odiv1.KindReplicaSet || ref.Kind == odiv1.KindCronJob
}

// deploymentOf takes the template's hash off the name of a Deployment's ReplicaSet;
// empty when no Deployment made it.
func deploymentOf(pod *corev1.Pod, direct Reference) string {
	hash := pod.Labels["pod-template-hash"]
	name, cut := strings.CutSuffix(direct.Name, "-"+hash)
	if direct.Kind != odiv1.KindReplicaSet || hash == "" || !cut {
		return ""
	}
	return name
}
