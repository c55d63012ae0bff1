package components

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
)

// Component is one part of odi.
type Component struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	// Text says how many are ready and, when not all are, why.
	Text string `json:"text"`
	// Show is the command that shows more; empty when the component is ready.
	Show string `json:"show,omitempty"`
}

// Observed is everything that components are judged by.
type Observed struct {
	Namespace string
	// What does not exist is nil.
	Manager, Gateway *appsv1.Deployment
	// Odiglet and NodeCollector run on every node.
	Odiglet, NodeCollector *appsv1.DaemonSet
	Pods                   []corev1.Pod
	Nodes                  []odiv1.NodeInstrumentation
	// ManagerSilent is since when the manager does not work although its pod may look well; zero while it does.
	ManagerSilent time.Time
}

// Observe reads odi's own objects.
func Observe(ctx context.Context, c client.Client, namespace string) (Observed, error) {
	seen := Observed{Namespace: namespace}
	err := errors.Join(
		observe(ctx, c, namespace, cluster.ManagerName, &seen.Manager),
		observe(ctx, c, namespace, cluster.GatewayName, &seen.Gateway),
		observe(ctx, c, namespace, cluster.OdigletName, &seen.Odiglet),
		observe(ctx, c, namespace, cluster.NodeCollectorName, &seen.NodeCollector),
	)
	if err != nil {
		return Observed{}, err
	}
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(namespace)); err != nil {
		return Observed{}, fmt.Errorf("listing odi's pods: %w", err)
	}
	seen.Pods = pods.Items
	var nodes odiv1.NodeInstrumentationList
	if err := c.List(ctx, &nodes); err != nil && !meta.IsNoMatchError(err) {
		return Observed{}, fmt.Errorf("listing what the nodes report: %w", err)
	}
	seen.Nodes = nodes.Items
	if seen.deployment("manager", cluster.ManagerName, seen.Manager).Ready { // Otherwise that is what to say.
		seen.ManagerSilent = managerSilence(ctx, c, namespace, time.Now)
	}
	return seen, nil
}

// observe reads one object; what does not exist stays nil.
func observe[T any, P interface {
	*T
	client.Object
}](ctx context.Context, c client.Client, namespace, name string, into *P) error {
	var object P = new(T)
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	*into = object
	return nil
}

// Judge says how each component gets on: manager, gateway, node collectors, then one odiglet per node in order of name.
func Judge(seen Observed) []Component {
	list := []Component{
		seen.manager(),
		seen.deployment("gateway", cluster.GatewayName, seen.Gateway),
		seen.nodeCollectors(),
	}
	return append(list, seen.odiglets()...)
}

// manager is the Deployment, unless its leader says nothing: then what odi wrote on objects is as old.
func (seen Observed) manager() Component {
	c := seen.deployment("manager", cluster.ManagerName, seen.Manager)
	if seen.ManagerSilent.IsZero() {
		return c
	}
	c.Ready = false
	c.Text += ", silent since " + seen.ManagerSilent.UTC().Format("15:04:05 MST") + ": what odi says of workloads and destinations is as old"
	if c.Show == "" {
		c.Show = fmt.Sprintf("kubectl -n %s logs deployment/%s", seen.Namespace, cluster.ManagerName)
	}
	return c
}

func (seen Observed) deployment(name, object string, d *appsv1.Deployment) Component {
	show := fmt.Sprintf("kubectl -n %s describe deployment %s", seen.Namespace, object)
	if d == nil {
		return Component{Name: name, Text: "does not exist yet", Show: show}
	}
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	// Where pods of an older template go on, those that are ready are theirs first.
	older := max(d.Status.Replicas-d.Status.UpdatedReplicas, 0)
	ready := max(min(d.Status.ReadyReplicas, d.Status.UpdatedReplicas)-older, 0)
	text := fmt.Sprintf("%d of %d ready", ready, want)
	if older > 0 {
		text += fmt.Sprintf(", %d of the version before", older)
	}
	// Status is about an older template until the deployment controller has looked.
	if d.Status.ObservedGeneration >= d.Generation && ready >= want && d.Status.Replicas == want {
		return Component{Name: name, Ready: true, Text: text}
	}
	if why := whyNot(seen.podsOf(name)); why != "" {
		text += ": " + why
	}
	return Component{Name: name, Text: text, Show: show}
}

func (seen Observed) nodeCollectors() Component {
	const name = "node collectors"
	show := fmt.Sprintf("kubectl -n %s describe daemonset %s", seen.Namespace, cluster.NodeCollectorName)
	if seen.NodeCollector == nil {
		return Component{Name: name, Text: "do not exist yet", Show: show}
	}
	status := seen.NodeCollector.Status
	ready := min(status.NumberReady, status.UpdatedNumberScheduled)
	text := fmt.Sprintf("%d of %d ready", ready, status.DesiredNumberScheduled)
	if status.ObservedGeneration >= seen.NodeCollector.Generation && status.DesiredNumberScheduled > 0 && ready >= status.DesiredNumberScheduled {
		return Component{Name: name, Ready: true, Text: text}
	}
	if why := whyNot(seen.podsOf("node-collector")); why != "" {
		text += ": " + why
	}
	return Component{Name: name, Text: text, Show: show}
}

func (seen Observed) podsOf(component string) []corev1.Pod {
	var pods []corev1.Pod
	for _, pod := range seen.Pods {
		if pod.Labels[odiv1.LabelComponent] == component {
			pods = append(pods, pod)
		}
	}
	return pods
}

// odiglets is one component per node; before there is a pod, one for the DaemonSet.
func (seen Observed) odiglets() []Component {
	show := fmt.Sprintf("kubectl -n %s describe daemonset %s", seen.Namespace, cluster.OdigletName)
	if seen.Odiglet == nil {
		return []Component{{Name: "odiglet", Text: "does not exist yet", Show: show}}
	}
	pods := map[string]corev1.Pod{}
	for _, pod := range seen.podsOf("odiglet") {
		// A rolling update has two pods on a node for a moment; the new one counts.
		if old, ok := pods[pod.Spec.NodeName]; !ok || old.CreationTimestamp.Before(&pod.CreationTimestamp) {
			pods[pod.Spec.NodeName] = pod
		}
	}
	status := seen.Odiglet.Status
	var list []Component
	if status.ObservedGeneration < seen.Odiglet.Generation || int(status.DesiredNumberScheduled) > len(pods) || status.DesiredNumberScheduled == 0 {
		text := fmt.Sprintf("%d of %d nodes have a pod", len(pods), status.DesiredNumberScheduled)
		list = append(list, Component{Name: "odiglet", Text: text, Show: show})
	}
	if status.UpdatedNumberScheduled < status.DesiredNumberScheduled {
		text := fmt.Sprintf("%d of %d nodes have the new version", status.UpdatedNumberScheduled, status.DesiredNumberScheduled)
		list = append(list, Component{Name: "odiglets", Text: text, Show: show})
	}
	nodes := make([]string, 0, len(pods))
	for node := range pods {
		nodes = append(nodes, node)
	}
	sort.Strings(nodes)
	for _, node := range nodes {
		list = append(list, seen.odiglet(node, pods[node]))
	}
	return list
}

func (seen Observed) odiglet(node string, pod corev1.Pod) Component {
	name := "odiglet on " + node
	if node == "" {
		name = "odiglet"
	}
	c := Component{Name: name, Show: fmt.Sprintf("kubectl -n %s describe pod %s", seen.Namespace, pod.Name)}
	if !podReady(pod) {
		c.Text = "starting"
		if why := whyNot([]corev1.Pod{pod}); why != "" {
			c.Text = why
		}
		return c
	}
	for _, ni := range seen.Nodes {
		if ni.Name != node {
			continue
		}
		ready := meta.FindStatusCondition(ni.Status.Conditions, odiv1.ConditionReady)
		if ready == nil || ready.Status != "True" {
			c.Text = "its report is not there yet"
			if ready != nil {
				c.Text = ready.Message
			}
			c.Show = "kubectl get ni " + node + " -o yaml"
			return c
		}
		return Component{Name: name, Ready: true, Text: fmt.Sprintf("kernel %s", ni.Status.Kernel)}
	}
	c.Text = "runs, but has not reported yet"
	return c
}
