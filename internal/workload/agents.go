package workload

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// AgentsOf reads what the webhook noted on a pod: the agents that its containers were given, as
// language@version by the container's name; nil for none.
func AgentsOf(pod *corev1.Pod) map[string]string {
	text := pod.Annotations[odiv1.AnnotationAgents]
	if text == "" {
		return nil
	}
	agents := map[string]string{}
	for entry := range strings.SplitSeq(text, ",") {
		container, agent, _ := strings.Cut(entry, "=")
		agents[container] = agent
	}
	return agents
}
