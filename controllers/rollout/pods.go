package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
	"github.com/odi-dev/odi/internal/workload"
)

// podsOf reads what matters of pods. How often containers without agents restart is what agents are measured by.
func podsOf(pods []*corev1.Pod) []Pod {
	usual := usualRestarts(pods)
	list := make([]Pod, 0, len(pods))
	for _, pod := range pods {
		list = append(list, podOf(pod, usual))
	}
	return list
}

func podOf(pod *corev1.Pod, usual map[string]int32) Pod {
	p := Pod{
		Name: pod.Name, UID: string(pod.UID), ResourceVersion: pod.ResourceVersion, Ordinal: ordinal(pod.Name),
		Created: pod.CreationTimestamp.Time, Leaving: pod.DeletionTimestamp != nil,
		Ended:   pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed,
		Started: len(pod.Status.ContainerStatuses)+len(pod.Status.InitContainerStatuses) > 0,
		Agents:  workload.AgentsOf(pod), Canary: pod.Annotations[odiv1.AnnotationCanary], Images: map[string]string{},
	}
	if owner := workload.Controller(pod); owner != nil {
		p.Owner = string(owner.UID)
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			p.Ready, p.ReadySince = true, c.LastTransitionTime.Time
		}
	}
	for _, s := range pod.Status.ContainerStatuses {
		if s.ImageID != "" {
			p.Images[s.Name] = s.ImageID
		}
	}
	p.Trouble = troubleOf(pod, p.Agents, usual)
	return p
}

// ordinal is the number at the end of a name, which only pods of a StatefulSet have for sure.
func ordinal(name string) int {
	n, err := strconv.Atoi(name[strings.LastIndexByte(name, '-')+1:])
	if err != nil {
		return 0
	}
	return n
}

// usualRestarts are the fewest of each container in pods without agents.
func usualRestarts(pods []*corev1.Pod) map[string]int32 {
	usual := map[string]int32{}
	for _, pod := range pods {
		if len(workload.AgentsOf(pod)) > 0 {
			continue
		}
		for _, s := range pod.Status.ContainerStatuses {
			if before, has := usual[s.Name]; !has || s.RestartCount < before {
				usual[s.Name] = s.RestartCount
			}
		}
	}
	return usual
}

// notPulled are the words of kubelets for an image that does not come; a first ErrImagePull is tried again within seconds.
var notPulled = []string{"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "SignatureValidationFailed"}

// notMade are their words for a container that cannot be made as the pod says.
var notMade = []string{"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}

// troubleOf finds what went wrong with a pod that has agents. All that such a pod did was after it got them.
func troubleOf(pod *corev1.Pod, agents map[string]string, usual map[string]int32) *Trouble {
	if len(agents) == 0 {
		return nil
	}
	for i := range pod.Status.InitContainerStatuses {
		s := &pod.Status.InitContainerStatuses[i]
		if !strings.HasPrefix(s.Name, kube.InitContainerPrefix) {
			continue
		}
		if t := cannotStart(pod, s); t != nil {
			return t
		}
		if end := lastEnd(s); end != nil && end.ExitCode != 0 {
			return &Trouble{Reason: odiv1.ReasonContainerNotMade, At: end.FinishedAt.Time, Message: sentence(
				fmt.Sprintf("The init container %s, which brings the agent, ended with %d in pod %s", s.Name, end.ExitCode, pod.Name), end.Message)}
		}
	}
	for i := range pod.Status.ContainerStatuses {
		s := &pod.Status.ContainerStatuses[i]
		if agents[s.Name] == "" {
			continue
		}
		if t := cannotStart(pod, s); t != nil {
			t.Container = s.Name
			return t
		}
		if t := crashed(pod, s, usual[s.Name]); t != nil {
			return t
		}
	}
	return nil
}

func cannotStart(pod *corev1.Pod, s *corev1.ContainerStatus) *Trouble {
	w := s.State.Waiting
	switch {
	case w == nil:
		return nil
	case slices.Contains(notPulled, w.Reason):
		return &Trouble{Reason: odiv1.ReasonImagePullFailed, Message: sentence("Pod "+pod.Name+" with agents cannot pull an image ("+w.Reason+")", w.Message)}
	case slices.Contains(notMade, w.Reason):
		return &Trouble{Reason: odiv1.ReasonContainerNotMade, Message: sentence("Container "+s.Name+" of pod "+pod.Name+" cannot be made with agents ("+w.Reason+")", w.Message)}
	}
	return nil
}

// mostUsual bounds what is usual: containers that always crashed a few times before others were up.
const mostUsual = 2

// crashed finds a container that ended since it has an agent, more often than it does without.
func crashed(pod *corev1.Pod, s *corev1.ContainerStatus, usual int32) *Trouble {
	end := lastEnd(s)
	if end == nil {
		return nil
	}
	if end.Reason == "OOMKilled" {
		return &Trouble{Container: s.Name, Reason: odiv1.ReasonOutOfMemory, At: end.FinishedAt.Time, Message: sentence(
			"Container "+s.Name+" of pod "+pod.Name+" was killed for its memory with the agent", end.Message)}
	}
	looping := s.State.Waiting != nil && s.State.Waiting.Reason == "CrashLoopBackOff"
	final := pod.Status.Phase == corev1.PodFailed
	if end.ExitCode == 0 || s.RestartCount <= min(usual, mostUsual) && !looping && !final {
		return nil
	}
	return &Trouble{Container: s.Name, Reason: odiv1.ReasonCrashLoop, At: end.FinishedAt.Time, Message: sentence(
		fmt.Sprintf("Container %s of pod %s ended with %d after it got the agent, %s", s.Name, pod.Name, end.ExitCode, times(max(s.RestartCount, 1))), end.Message)}
}

func times(n int32) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func lastEnd(s *corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if s.State.Terminated != nil {
		return s.State.Terminated
	}
	return s.LastTerminationState.Terminated
}

// sentence ends words with those of somebody else, where there are any.
func sentence(words, quoted string) string {
	quoted = strings.TrimSpace(quoted)
	if quoted == "" {
		return words + "."
	}
	return words + ": " + strings.TrimSuffix(quoted, ".") + "."
}

// usualStart is the shortest time that a pod without agents took to be ready; 0 when none tells.
func usualStart(pods []Pod) time.Duration {
	shortest := time.Duration(0)
	for _, p := range pods {
		took := p.ReadySince.Sub(p.Created)
		if p.Ready && len(p.Agents) == 0 && took > 0 && (shortest == 0 || took < shortest) {
			shortest = took
		}
	}
	return shortest
}

// usualStart is that of the pods that are there, else what was seen last: the only pod of a workload has to go
// before the next comes.
func (o Observed) usualStart() time.Duration {
	if usual := usualStart(o.Pods); usual > 0 {
		return usual
	}
	return time.Duration(o.Status.UsualStart) * time.Second
}
