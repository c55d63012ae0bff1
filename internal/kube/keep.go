package kube

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// keepPace carries over what the rollout of language agents depends on.
func keepPace(kept, obj client.Object) {
	switch o := kept.(type) {
	case *appsv1.Deployment:
		o.Spec.Paused = obj.(*appsv1.Deployment).Spec.Paused
	case *appsv1.StatefulSet:
		o.Spec.UpdateStrategy.Type = obj.(*appsv1.StatefulSet).Spec.UpdateStrategy.Type
	case *appsv1.DaemonSet:
		o.Spec.UpdateStrategy.Type = obj.(*appsv1.DaemonSet).Spec.UpdateStrategy.Type
		o.Status.DesiredNumberScheduled = obj.(*appsv1.DaemonSet).Status.DesiredNumberScheduled
	case *batchv1.CronJob:
		o.Spec.JobTemplate.Spec.BackoffLimit = obj.(*batchv1.CronJob).Spec.JobTemplate.Spec.BackoffLimit
	case *batchv1.Job:
		o.Spec.BackoffLimit = obj.(*batchv1.Job).Spec.BackoffLimit
	}
	from, to := templateOf(obj), templateOf(kept)
	if from == nil || to == nil {
		return
	}
	to.Annotations = keepAnnotations(from.Annotations)
}

// keepAnnotations keeps odi's own about injection.
func keepAnnotations(all map[string]string) map[string]string {
	var kept map[string]string
	for _, name := range []string{odiv1.AnnotationInject, odiv1.AnnotationAgents, odiv1.AnnotationCanary} {
		value, has := all[name]
		if !has {
			continue
		}
		if kept == nil {
			kept = map[string]string{}
		}
		kept[name] = value
	}
	return kept
}

// keepTemplate keeps what Template is read from.
func keepTemplate(kept, full *corev1.PodSpec) {
	kept.RestartPolicy = full.RestartPolicy
	kept.ImagePullSecrets = full.ImagePullSecrets
	if full.OS != nil {
		kept.OS = &corev1.PodOS{Name: full.OS.Name}
	}
}

// stripContainer keeps names, limits and the patience of probes; of the environment and the
// command what Variable and ContainerTemplate say, never a value.
func stripContainer(c *corev1.Container) corev1.Container {
	kept := corev1.Container{
		Name: c.Name, RestartPolicy: c.RestartPolicy,
		StartupProbe: patience(c.StartupProbe), LivenessProbe: patience(c.LivenessProbe),
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if limit, has := c.Resources.Limits[name]; has {
			if kept.Resources.Limits == nil {
				kept.Resources.Limits = corev1.ResourceList{}
			}
			kept.Resources.Limits[name] = limit
		}
	}
	kept.Command = readWords(slices.Concat(c.Command, c.Args))
	for _, v := range readVariables(c.Env) {
		small := corev1.EnvVar{Name: v.Name, Value: v.Value}
		if v.Elsewhere {
			small.ValueFrom = &corev1.EnvVarSource{}
		}
		kept.Env = append(kept.Env, small)
	}
	return kept
}

func patience(probe *corev1.Probe) *corev1.Probe {
	if probe == nil {
		return nil
	}
	return &corev1.Probe{
		InitialDelaySeconds: probe.InitialDelaySeconds, PeriodSeconds: probe.PeriodSeconds, FailureThreshold: probe.FailureThreshold,
	}
}

// keepPod keeps how a pod fares: whether it is ready, and how its containers started.
func keepPod(kept, pod *corev1.Pod) {
	kept.Annotations = keepAnnotations(pod.Annotations)
	kept.Spec.ImagePullSecrets = pod.Spec.ImagePullSecrets
	kept.Status.Phase = pod.Status.Phase
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			kept.Status.Conditions = []corev1.PodCondition{{Type: c.Type, Status: c.Status, LastTransitionTime: c.LastTransitionTime}}
		}
	}
	kept.Status.InitContainerStatuses = keepStatuses(pod.Status.InitContainerStatuses, true)
	kept.Status.ContainerStatuses = keepStatuses(pod.Status.ContainerStatuses, false)
}

// InitContainerPrefix begins the names of the init containers that bring agents.
const InitContainerPrefix = "odi-"

// keepStatuses keeps what tells of a container's start; of init containers only those that bring agents.
func keepStatuses(all []corev1.ContainerStatus, init bool) []corev1.ContainerStatus {
	var kept []corev1.ContainerStatus
	for _, s := range all {
		if init && !strings.HasPrefix(s.Name, InitContainerPrefix) {
			continue
		}
		kept = append(kept, corev1.ContainerStatus{
			Name: s.Name, Ready: s.Ready, RestartCount: s.RestartCount, ImageID: s.ImageID,
			State: keepContainerState(s.State), LastTerminationState: keepContainerState(s.LastTerminationState),
		})
	}
	return kept
}

// keepContainerState leaves out container ids and what a message has beyond what anybody reads.
func keepContainerState(s corev1.ContainerState) corev1.ContainerState {
	var kept corev1.ContainerState
	switch {
	case s.Waiting != nil:
		kept.Waiting = &corev1.ContainerStateWaiting{Reason: s.Waiting.Reason, Message: lastWords(s.Waiting.Message)}
	case s.Running != nil:
		kept.Running = &corev1.ContainerStateRunning{StartedAt: s.Running.StartedAt}
	case s.Terminated != nil:
		kept.Terminated = &corev1.ContainerStateTerminated{
			ExitCode: s.Terminated.ExitCode, Reason: s.Terminated.Reason, Message: lastWords(s.Terminated.Message),
			FinishedAt: s.Terminated.FinishedAt,
		}
	}
	return kept
}

// lastWords is the end of a text: a program's last words say why it ended.
func lastWords(text string) string {
	const most = 300
	text = strings.TrimSpace(text)
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[len(text)-most:], "")
}
