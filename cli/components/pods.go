package components

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// whyNot says in the cluster's own words what keeps the first unready pod from
// being ready; empty when nothing is known but that it starts.
func whyNot(pods []corev1.Pod) string {
	for _, pod := range pods {
		if podReady(pod) || pod.DeletionTimestamp != nil {
			continue
		}
		if why := unscheduled(pod); why != "" {
			return why
		}
		if why := containers(pod); why != "" {
			return why
		}
	}
	return ""
}

func podReady(pod corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func unscheduled(pod corev1.Pod) string {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return "no node takes its pod: " + condition.Message
		}
	}
	return ""
}

func containers(pod corev1.Pod) string {
	statuses := append(append([]corev1.ContainerStatus(nil), pod.Status.InitContainerStatuses...), pod.Status.ContainerStatuses...)
	for _, status := range statuses {
		waiting := status.State.Waiting
		if waiting == nil || waiting.Reason == "ContainerCreating" || waiting.Reason == "PodInitializing" {
			continue
		}
		why := fmt.Sprintf("container %s: %s", status.Name, waiting.Reason)
		if ended := status.LastTerminationState.Terminated; ended != nil {
			return fmt.Sprintf("%s (exit code %d)", why, ended.ExitCode)
		}
		if waiting.Message != "" {
			why += ": " + waiting.Message
		}
		return why
	}
	for _, status := range statuses {
		if !status.Ready && status.State.Running != nil {
			return fmt.Sprintf("container %s is not ready yet", status.Name)
		}
	}
	return ""
}
