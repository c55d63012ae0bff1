package decide

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// seen is what the pods of a workload say, by container where they differ in it.
type seen struct {
	images      map[string][]string
	started     map[string]time.Duration
	pullSecrets []string
}

// seenOf reads the pods.
func seenOf(pods []*corev1.Pod) seen {
	s := seen{images: map[string][]string{}, started: map[string]time.Duration{}}
	for _, pod := range pods {
		for _, secret := range pod.Spec.ImagePullSecrets {
			s.pullSecrets = append(s.pullSecrets, secret.Name)
		}
		for _, c := range pod.Status.ContainerStatuses {
			if c.ImageID != "" && !slices.Contains(s.images[c.Name], c.ImageID) {
				s.images[c.Name] = append(s.images[c.Name], c.ImageID)
			}
		}
		s.addStarts(pod)
	}
	return s
}

// addStarts notes how long a pod's containers took. A start counts where no agent took part in it, and the
// shortest one: a pod that was ready, was not, and is again, seems to have started slowly.
func (s seen) addStarts(pod *corev1.Pod) {
	ready := readySince(pod)
	if _, hasAgents := pod.Annotations[odiv1.AnnotationAgents]; hasAgents || ready.IsZero() {
		return
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Running == nil {
			continue
		}
		took := ready.Sub(c.State.Running.StartedAt.Time)
		if before, has := s.started[c.Name]; took > 0 && (!has || took < before) {
			s.started[c.Name] = took
		}
	}
}

func readySince(pod *corev1.Pod) time.Time {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}
