package uninstall

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/kinds"
	"github.com/odi-dev/odi/cli/progress"
)

// deleteWishes deletes what users wrote: the manager and the odiglets then let go of everything.
func deleteWishes(ctx context.Context, c client.Client, w wishes) error {
	for _, object := range w.all() {
		if err := client.IgnoreNotFound(c.Delete(ctx, object)); err != nil {
			return fmt.Errorf("deleting %s/%s: %w", object.GetNamespace(), object.GetName(), err)
		}
	}
	return nil
}

// deleteReports deletes what odi wrote itself: nobody keeps it true any more.
func deleteReports(ctx context.Context, c client.Client) error {
	var workloads odiv1.InstrumentedWorkloadList
	if err := listIfKnown(ctx, c, &workloads); err != nil {
		return fmt.Errorf("listing workloads: %w", err)
	}
	var nodes odiv1.NodeInstrumentationList
	if err := listIfKnown(ctx, c, &nodes); err != nil {
		return fmt.Errorf("listing nodes: %w", err)
	}
	for i := range workloads.Items {
		if err := client.IgnoreNotFound(c.Delete(ctx, &workloads.Items[i])); err != nil {
			return fmt.Errorf("deleting the report about %s/%s: %w", workloads.Items[i].Namespace, workloads.Items[i].Name, err)
		}
	}
	for i := range nodes.Items {
		if err := client.IgnoreNotFound(c.Delete(ctx, &nodes.Items[i])); err != nil {
			return fmt.Errorf("deleting the report of the node %s: %w", nodes.Items[i].Name, err)
		}
	}
	return nil
}

func listIfKnown(ctx context.Context, c client.Client, into client.ObjectList) error {
	err := c.List(ctx, into)
	if meta.IsNoMatchError(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// detached waits for the manager to drop the workloads and the odiglets to detach.
func detached(ctx context.Context, c client.Client, namespace string) ([]progress.Item, error) {
	var workloads odiv1.InstrumentedWorkloadList
	if err := listIfKnown(ctx, c, &workloads); err != nil {
		return nil, fmt.Errorf("listing workloads: %w", err)
	}
	var nodes odiv1.NodeInstrumentationList
	if err := listIfKnown(ctx, c, &nodes); err != nil {
		return nil, fmt.Errorf("listing nodes: %w", err)
	}
	attached := int32(0)
	for _, node := range nodes.Items {
		attached += node.Status.Attached
	}
	items := []progress.Item{
		{Name: "workloads", Done: len(workloads.Items) == 0, Text: fmt.Sprintf("%d still selected", len(workloads.Items))},
		{Name: "probes", Done: attached == 0, Text: fmt.Sprintf("%d processes still instrumented", attached)},
	}
	var manager appsv1.Deployment
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: cluster.ManagerName}, &manager)
	if err != nil || manager.Status.ReadyReplicas == 0 {
		// Nobody is there to let go; stopping the odiglets does it.
		for i := range items {
			items[i].Done = true
		}
	}
	return items, client.IgnoreNotFound(err)
}

// deleteHouse removes the namespace if it may go, else the Leases of the manager and of the odiglets in it,
// of which neither Helm knows nor, before the nodes go, the garbage collector.
func deleteHouse(ctx context.Context, c client.Client, p plan) error {
	if !p.namespaceStays {
		house := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace}}
		if err := client.IgnoreNotFound(c.Delete(ctx, house)); err != nil {
			return fmt.Errorf("deleting the namespace %s: %w", p.namespace, err)
		}
		return nil
	}
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: cluster.ManagerName}}
	if err := client.IgnoreNotFound(c.Delete(ctx, lease)); err != nil {
		return fmt.Errorf("deleting the manager's lease: %w", err)
	}
	ofOdiglets := client.MatchingLabels{odiv1.LabelManagedBy: odiv1.ManagedByOdi, odiv1.LabelComponent: odiv1.ComponentOdiglet}
	if err := c.DeleteAllOf(ctx, &coordinationv1.Lease{}, client.InNamespace(p.namespace), ofOdiglets); err != nil {
		return fmt.Errorf("deleting the odiglets' leases: %w", err)
	}
	return nil
}

// gone says what of the plan is still there.
func gone(ctx context.Context, c client.Client, p plan) ([]progress.Item, error) {
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(p.namespace), client.MatchingLabels{cluster.PartOfLabel: "odi"}); err != nil {
		return nil, fmt.Errorf("listing odi's pods: %w", err)
	}
	var gateway appsv1.Deployment
	gatewayErr := c.Get(ctx, client.ObjectKey{Namespace: p.namespace, Name: cluster.GatewayName}, &gateway)
	if client.IgnoreNotFound(gatewayErr) != nil {
		return nil, fmt.Errorf("reading the gateway: %w", gatewayErr)
	}
	objects, err := ownObjects(ctx, c, p.namespace)
	if err != nil {
		return nil, err
	}
	items := []progress.Item{
		left("gateway", present(gatewayErr)),
		left("pods", len(pods.Items)),
		left("objects", objects),
	}
	if len(p.kinds) > 0 {
		all, err := kinds.List(ctx, c)
		if err != nil {
			return nil, err
		}
		items = append(items, left("kinds", len(kinds.Of(p.owner(), all))))
	}
	var namespace corev1.Namespace
	err = c.Get(ctx, client.ObjectKey{Name: p.namespace}, &namespace)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading the namespace %s: %w", p.namespace, err)
	}
	if !p.namespaceStays {
		items = append(items, left("namespace", present(err)))
	}
	return items, nil
}

// ownObjects counts what the garbage collector has yet to remove.
func ownObjects(ctx context.Context, c client.Client, namespace string) (int, error) {
	count := 0
	for _, kind := range []string{"Secret", "ConfigMap", "Service"} {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: kind})
		if err := c.List(ctx, list, client.InNamespace(namespace), client.MatchingLabels{cluster.PartOfLabel: "odi"}); err != nil {
			return 0, fmt.Errorf("listing what is left of odi: %w", err)
		}
		count += len(list.Items)
	}
	return count, nil
}

func present(err error) int {
	if apierrors.IsNotFound(err) {
		return 0
	}
	return 1
}

func left(name string, count int) progress.Item {
	if count == 0 {
		return progress.Item{Name: name, Done: true, Text: "gone"}
	}
	return progress.Item{Name: name, Text: fmt.Sprintf("%d left", count)}
}
