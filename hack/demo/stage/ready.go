package stage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// WaitReady waits until every Deployment and DaemonSet of a namespace has all
// its pods ready at the current generation, and at least one exists. It does not wait
// for images that cannot be pulled.
func (c *Cluster) WaitReady(ctx context.Context, namespace string, within time.Duration) error {
	var hopeless error
	err := Eventually(ctx, within, 250*time.Millisecond, func(ctx context.Context) (bool, string) {
		waiting, err := c.notReady(ctx, namespace)
		if err != nil {
			return false, err.Error()
		}
		if len(waiting) > 0 {
			pods, err := c.Pods(ctx, namespace)
			if err != nil {
				return false, err.Error()
			}
			hopeless = unpulled(pods)
		}
		return len(waiting) == 0 || hopeless != nil, strings.Join(waiting, "; ")
	})
	if hopeless != nil {
		return hopeless
	}
	if err != nil {
		return fmt.Errorf("waiting for the pods of namespace %s: %w\n%s", namespace, err, c.Diagnose(ctx, namespace))
	}
	return nil
}

func (c *Cluster) notReady(ctx context.Context, namespace string) ([]string, error) {
	var deployments appsv1.DeploymentList
	if err := c.List(ctx, &deployments, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing deployments: %w", err)
	}
	var daemons appsv1.DaemonSetList
	if err := c.List(ctx, &daemons, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing daemonsets: %w", err)
	}
	if len(deployments.Items)+len(daemons.Items) == 0 {
		return []string{"no deployment or daemonset yet"}, nil
	}
	var waiting []string
	for _, d := range deployments.Items {
		waiting = append(waiting, deploymentWaits(d)...)
	}
	for _, d := range daemons.Items {
		waiting = append(waiting, daemonWaits(d)...)
	}
	return waiting, nil
}

func deploymentWaits(d appsv1.Deployment) []string {
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	s := d.Status
	current := s.ObservedGeneration >= d.Generation && s.UpdatedReplicas >= want && s.Replicas <= want
	if current && s.AvailableReplicas >= want {
		return nil
	}
	return []string{fmt.Sprintf("deployment/%s has %d of %d ready", d.Name, s.AvailableReplicas, want)}
}

func daemonWaits(d appsv1.DaemonSet) []string {
	s := d.Status
	want := s.DesiredNumberScheduled
	current := s.ObservedGeneration >= d.Generation && s.UpdatedNumberScheduled >= want
	if current && want > 0 && s.NumberAvailable >= want {
		return nil
	}
	return []string{fmt.Sprintf("daemonset/%s has %d of %d ready", d.Name, s.NumberAvailable, want)}
}

// Pods returns the pods of a namespace, by name; ended ones are left out.
func (c *Cluster) Pods(ctx context.Context, namespace string) ([]corev1.Pod, error) {
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing the pods of namespace %s: %w", namespace, err)
	}
	return slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool {
		return p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	}), nil
}

// Diagnose says in a few lines why pods of a namespace are not ready: their
// containers' states and the namespace's warnings.
func (c *Cluster) Diagnose(ctx context.Context, namespace string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var b strings.Builder
	pods, err := c.Pods(ctx, namespace)
	if err != nil {
		return err.Error()
	}
	for _, p := range pods {
		fmt.Fprintf(&b, "  pod %s: %s\n", p.Name, p.Status.Phase)
		for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			fmt.Fprintf(&b, "    container %s: ready %t, %d restarts%s\n", s.Name, s.Ready, s.RestartCount, stateOf(s))
		}
	}
	var events corev1.EventList
	if err := c.List(ctx, &events, client.InNamespace(namespace)); err != nil {
		return b.String()
	}
	for _, e := range events.Items {
		if e.Type == corev1.EventTypeWarning {
			fmt.Fprintf(&b, "  warning %s/%s: %s: %s\n", e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message)
		}
	}
	return b.String()
}

func stateOf(s corev1.ContainerStatus) string {
	switch {
	case s.State.Waiting != nil:
		return fmt.Sprintf(", waiting: %s %s", s.State.Waiting.Reason, s.State.Waiting.Message)
	case s.State.Terminated != nil:
		return fmt.Sprintf(", ended with %d: %s", s.State.Terminated.ExitCode, s.State.Terminated.Reason)
	default:
		return ""
	}
}
