package components

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func deployment(ready int32) *appsv1.Deployment {
	return &appsv1.Deployment{Status: appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1, ReadyReplicas: ready}}
}

func daemonSet(nodes int32) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: nodes, UpdatedNumberScheduled: nodes}}
}

func collectors(nodes, ready int32) *appsv1.DaemonSet {
	return &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: nodes, UpdatedNumberScheduled: nodes, NumberReady: ready}}
}

func pod(component, node string, status corev1.PodStatus) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: component + "-" + node, Labels: map[string]string{odiv1.LabelComponent: component}},
		Spec:       corev1.PodSpec{NodeName: node},
		Status:     status,
	}
}

var (
	readyPod = corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}
	noImage  = corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		Name: "manager", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}},
	}}}
	crashing = corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		Name:                 "odiglet",
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}},
	}}}
	noRoom = corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes: insufficient memory"}}}
)

func report(node string, status metav1.ConditionStatus, message string) odiv1.NodeInstrumentation {
	return odiv1.NodeInstrumentation{
		ObjectMeta: metav1.ObjectMeta{Name: node},
		Status: odiv1.NodeInstrumentationStatus{Kernel: "6.12", Conditions: []metav1.Condition{
			{Type: odiv1.ConditionReady, Status: status, Message: message}}},
	}
}

func TestJudge(t *testing.T) {
	tests := map[string]struct {
		seen Observed
		want []string
	}{
		"nothing is there yet": {
			want: []string{"manager: does not exist yet", "gateway: does not exist yet",
				"node collectors: do not exist yet", "odiglet: does not exist yet"},
		},
		"everything works": {
			seen: Observed{Manager: deployment(1), Gateway: deployment(1), Odiglet: daemonSet(1), NodeCollector: collectors(1, 1),
				Pods: []corev1.Pod{pod("odiglet", "n1", readyPod)}, Nodes: []odiv1.NodeInstrumentation{report("n1", metav1.ConditionTrue, "")}},
			want: []string{"manager ready: 1 of 1 ready", "gateway ready: 1 of 1 ready",
				"node collectors ready: 1 of 1 ready", "odiglet on n1 ready: kernel 6.12"},
		},
		"no image, no room": {
			seen: Observed{Manager: deployment(0), Gateway: deployment(0), Odiglet: daemonSet(2), NodeCollector: collectors(2, 1),
				Pods: []corev1.Pod{pod("manager", "n1", noImage), pod("gateway", "", noRoom), pod("node-collector", "n1", noImage), pod("odiglet", "n1", crashing)}},
			want: []string{
				"manager: 0 of 1 ready: container manager: ImagePullBackOff: no such image",
				"gateway: 0 of 1 ready: no node takes its pod: 0/1 nodes: insufficient memory",
				"node collectors: 1 of 2 ready: container manager: ImagePullBackOff: no such image",
				"odiglet: 1 of 2 nodes have a pod",
				"odiglet on n1: container odiglet: CrashLoopBackOff (exit code 1)",
			},
		},
		"the manager's pod is well, and it says nothing": {
			seen: Observed{Manager: deployment(1), Gateway: deployment(1), Odiglet: daemonSet(1), NodeCollector: collectors(1, 1),
				Pods: []corev1.Pod{pod("odiglet", "n1", readyPod)}, Nodes: []odiv1.NodeInstrumentation{report("n1", metav1.ConditionTrue, "")},
				ManagerSilent: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)},
			want: []string{"manager: 1 of 1 ready, silent since 12:00:00 UTC: what odi says of workloads and destinations is as old",
				"gateway ready: 1 of 1 ready", "node collectors ready: 1 of 1 ready", "odiglet on n1 ready: kernel 6.12"},
		},
		"an upgrade to an image that does not exist": {
			seen: Observed{
				Manager: &appsv1.Deployment{Status: appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 1, ReadyReplicas: 1}},
				Gateway: deployment(1), NodeCollector: collectors(1, 1),
				Odiglet: &appsv1.DaemonSet{Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 2, UpdatedNumberScheduled: 1}},
				Pods: []corev1.Pod{pod("manager", "n1", readyPod), pod("manager", "n1", noImage),
					pod("odiglet", "n1", noImage), pod("odiglet", "n2", readyPod)},
				Nodes: []odiv1.NodeInstrumentation{report("n1", metav1.ConditionTrue, ""), report("n2", metav1.ConditionTrue, "")},
			},
			want: []string{
				"manager: 0 of 1 ready, 1 of the version before: container manager: ImagePullBackOff: no such image",
				"gateway ready: 1 of 1 ready", "node collectors ready: 1 of 1 ready",
				"odiglets: 1 of 2 nodes have the new version",
				"odiglet on n1: container manager: ImagePullBackOff: no such image", "odiglet on n2 ready: kernel 6.12",
			},
		},
		"the odiglet runs and cannot work": {
			seen: Observed{Manager: deployment(1), Gateway: deployment(1), Odiglet: daemonSet(2), NodeCollector: collectors(2, 2),
				Pods:  []corev1.Pod{pod("odiglet", "n1", readyPod), pod("odiglet", "n2", readyPod)},
				Nodes: []odiv1.NodeInstrumentation{report("n1", metav1.ConditionFalse, "The kernel has no BTF.")}},
			want: []string{"manager ready: 1 of 1 ready", "gateway ready: 1 of 1 ready", "node collectors ready: 2 of 2 ready",
				"odiglet on n1: The kernel has no BTF.", "odiglet on n2: runs, but has not reported yet"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range Judge(tc.seen) {
				line := c.Name
				if c.Ready {
					line += " ready"
				}
				got = append(got, line+": "+c.Text)
				if !c.Ready && c.Show == "" {
					t.Errorf("%s names no command that shows more", c.Name)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("components (-want +got):\n%s", diff)
			}
		})
	}
}
