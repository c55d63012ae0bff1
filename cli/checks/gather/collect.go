package gather

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/odi-dev/odi/cli/checks"
	"github.com/odi-dev/odi/internal/nodefacts"
)

// collect waits until every node has answered or the time is up, and says of each what came.
func (g *gatherer) collect(ctx context.Context, namespace, run string, nodes []string, seen nodesSeen) {
	ctx, cancel := context.WithTimeout(ctx, remaining(ctx))
	defer cancel()
	last := map[string]corev1.Pod{}
	problem := ""
	for {
		var pods corev1.PodList
		err := g.c.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{runLabel: run})
		if err != nil && ctx.Err() == nil {
			problem = err.Error()
		}
		for _, pod := range pods.Items {
			last[pod.Spec.NodeName] = pod
		}
		if !note(nodes, last, seen) {
			return
		}
		select {
		case <-ctx.Done():
			g.giveUp(nodes, last, problem, seen)
			return
		case <-time.After(pollEvery):
		}
	}
}

// note keeps what pods have answered, and says whether some have not.
func note(nodes []string, last map[string]corev1.Pod, seen nodesSeen) (waiting bool) {
	for _, node := range nodes {
		if seen[node].Read || seen[node].Why != "" {
			continue
		}
		answer, done := answerOf(last[node])
		if !done {
			waiting = true
			continue
		}
		seen[node] = answer
	}
	return waiting
}

// giveUp says what each node was about that did not answer.
func (g *gatherer) giveUp(nodes []string, last map[string]corev1.Pod, problem string, seen nodesSeen) {
	for _, node := range nodes {
		if seen[node].Read || seen[node].Why != "" {
			continue
		}
		why := "its Job had no pod when the time was up"
		if problem != "" {
			why = "its pod could not be read: " + problem
		}
		if pod, ok := last[node]; ok {
			why = stuckAt(pod)
		}
		seen[node] = checks.Not[nodefacts.Facts](why + "; a longer --timeout waits longer")
	}
}

// hopeless are the reasons for which a container waits in vain.
var hopeless = map[string]bool{
	"ErrImagePull": true, "ImagePullBackOff": true, "InvalidImageName": true, "ErrImageNeverPull": true,
	"CreateContainerError": true, "CreateContainerConfigError": true, "RunContainerError": true,
}

// answerOf reads a pod's last word. done is false while it may still come.
func answerOf(pod corev1.Pod) (answer checks.Known[nodefacts.Facts], done bool) {
	failed := func(format string, args ...any) (checks.Known[nodefacts.Facts], bool) {
		return checks.Not[nodefacts.Facts](checks.Failed + fmt.Sprintf(format, args...)), true
	}
	for _, status := range pod.Status.ContainerStatuses {
		switch ended := status.State.Terminated; {
		case ended != nil && ended.ExitCode != 0:
			return failed("the pod ended with %d: %s %s", ended.ExitCode, ended.Reason, strings.TrimSpace(ended.Message))
		case ended != nil:
			facts, err := nodefacts.Decode([]byte(ended.Message))
			if err != nil {
				return checks.Not[nodefacts.Facts]("what the pod said cannot be read: " + err.Error()), true
			}
			return checks.Of(facts), true
		case status.State.Waiting != nil && hopeless[status.State.Waiting.Reason]:
			return failed("%s: %s", status.State.Waiting.Reason, status.State.Waiting.Message)
		}
	}
	if pod.Status.Phase == corev1.PodFailed { // the kubelet did not let it in
		return failed("%s: %s", pod.Status.Reason, pod.Status.Message)
	}
	return answer, false
}

// stuckAt is how far a pod came.
func stuckAt(pod corev1.Pod) string {
	for _, status := range pod.Status.ContainerStatuses {
		if w := status.State.Waiting; w != nil {
			return "its pod had not started when the time was up (" + w.Reason + ")"
		}
	}
	return "its pod was still at work when the time was up"
}
