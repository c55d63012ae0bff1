package kube

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// shape is what the kinds of workload have in common.
type shape struct {
	kind odiv1.WorkloadKind
	// spec of its pods, part of the object that was read.
	spec *corev1.PodSpec
	// idle says why no pod is to be expected.
	idle string
}

// readShape finds the shape of an object; false when it is of no kind that odi reads.
func readShape(obj client.Object) (shape, bool) {
	switch o := obj.(type) {
	case *appsv1.Deployment:
		return shape{odiv1.KindDeployment, &o.Spec.Template.Spec, scaled(o.Spec.Replicas)}, true
	case *appsv1.StatefulSet:
		return shape{odiv1.KindStatefulSet, &o.Spec.Template.Spec, scaled(o.Spec.Replicas)}, true
	case *appsv1.DaemonSet:
		return shape{odiv1.KindDaemonSet, &o.Spec.Template.Spec, ""}, true
	case *batchv1.CronJob:
		return shape{odiv1.KindCronJob, &o.Spec.JobTemplate.Spec.Template.Spec, suspended("CronJob", o.Spec.Suspend)}, true
	case *batchv1.Job:
		return shape{odiv1.KindJob, &o.Spec.Template.Spec, jobIdle(o)}, true
	case *appsv1.ReplicaSet:
		return shape{odiv1.KindReplicaSet, &o.Spec.Template.Spec, scaled(o.Spec.Replicas)}, true
	case *corev1.ReplicationController:
		spec := &corev1.PodSpec{} // The API allows for none.
		if o.Spec.Template != nil {
			spec = &o.Spec.Template.Spec
		}
		return shape{odiv1.KindReplicationController, spec, scaled(o.Spec.Replicas)}, true
	case *corev1.Pod:
		return shape{odiv1.KindPod, &o.Spec, ""}, true
	}
	return shape{}, false
}

func scaled(replicas *int32) string {
	if replicas != nil && *replicas == 0 {
		return "The workload is scaled to zero."
	}
	return ""
}

func suspended(kind string, suspend *bool) string {
	if suspend != nil && *suspend {
		return "The " + kind + " is suspended."
	}
	return ""
}

func jobIdle(job *batchv1.Job) string {
	if Finished(job) {
		return "The Job has finished: nothing of it will run any more."
	}
	return suspended("Job", job.Spec.Suspend)
}

// Finished says whether an object is a Job of which nothing will run any more.
func Finished(obj client.Object) bool {
	job, ok := obj.(*batchv1.Job)
	return ok && slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed)
	})
}
