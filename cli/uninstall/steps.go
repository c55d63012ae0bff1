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
	"github.com/odi-dev/odi/cli/progress"
)

// crdKind is read as metadata only: the definitions themselves are large.
var crdKind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

func definitions(ctx context.Context, c client.Client) ([]metav1.PartialObjectMetadata, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(crdKind)
	if err := c.List(ctx, list, client.MatchingLabels{cluster.PartOfLabel: "odi"}); err != nil {
		return nil, fmt.Errorf("listing odi's kinds: %w", err)
	}
	return list.Items, nil
}

// kindsAreKept says whether the release was told to leave its kinds.
func kindsAreKept(ctx context.Context, c client.Client) (bool, error) {
	crds, err := definitions(ctx, c)
	if err != nil {
		return false, err
	}
	for _, crd := range crds {
		if crd.Annotations["helm.sh/resource-policy"] == "keep" {
			return true, nil
		}
	}
	return false, nil
}

// deleteWishes deletes what users wrote: the manager and the odiglets then let go of everything.
func deleteWishes(ctx context.Context, c client.Client) error {
	var secrets corev1.SecretList
	ours := client.MatchingLabels{odiv1.LabelManagedBy: odiv1.ManagedByOdi, odiv1.LabelComponent: "destination"}
	if err := c.List(ctx, &secrets, ours); err != nil {
		return fmt.Errorf("listing the credentials of destinations: %w", err)
	}
	doomed := make([]client.Object, 0, len(secrets.Items))
	for i := range secrets.Items {
		doomed = append(doomed, &secrets.Items[i])
	}
	var configs odiv1.InstrumentationConfigList
	if err := listIfKnown(ctx, c, &configs); err != nil {
		return err
	}
	for i := range configs.Items {
		doomed = append(doomed, &configs.Items[i])
	}
	var destinations odiv1.DestinationList
	if err := listIfKnown(ctx, c, &destinations); err != nil {
		return err
	}
	for i := range destinations.Items {
		doomed = append(doomed, &destinations.Items[i])
	}
	for _, object := range doomed {
		if err := client.IgnoreNotFound(c.Delete(ctx, object)); err != nil {
			return fmt.Errorf("deleting %s/%s: %w", object.GetNamespace(), object.GetName(), err)
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

// deleteHouse removes the namespace that `odi install` made, or in any other the
// one object that neither Helm nor the garbage collector knows of.
func deleteHouse(ctx context.Context, c client.Client, namespace string) (kept bool, err error) {
	var found corev1.Namespace
	err = c.Get(ctx, client.ObjectKey{Name: namespace}, &found)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the namespace %s: %w", namespace, err)
	}
	if found.Labels[odiv1.LabelManagedBy] == odiv1.ManagedByOdi {
		if err := client.IgnoreNotFound(c.Delete(ctx, &found)); err != nil {
			return false, fmt.Errorf("deleting the namespace %s: %w", namespace, err)
		}
		return false, nil
	}
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: cluster.ManagerName}}
	if err := client.IgnoreNotFound(c.Delete(ctx, lease)); err != nil {
		return false, fmt.Errorf("deleting the manager's lease: %w", err)
	}
	return true, nil
}

// leftovers says what has to be gone.
type leftovers struct {
	namespace     string
	kindsKept     bool
	namespaceKept bool
}

func gone(ctx context.Context, c client.Client, l leftovers) ([]progress.Item, error) {
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(l.namespace), client.MatchingLabels{cluster.PartOfLabel: "odi"}); err != nil {
		return nil, fmt.Errorf("listing odi's pods: %w", err)
	}
	var gateway appsv1.Deployment
	gatewayErr := c.Get(ctx, client.ObjectKey{Namespace: l.namespace, Name: cluster.GatewayName}, &gateway)
	if client.IgnoreNotFound(gatewayErr) != nil {
		return nil, fmt.Errorf("reading the gateway: %w", gatewayErr)
	}
	objects, err := ownObjects(ctx, c, l.namespace)
	if err != nil {
		return nil, err
	}
	items := []progress.Item{
		left("gateway", present(gatewayErr)),
		left("pods", len(pods.Items)),
		left("objects", objects),
	}
	if !l.kindsKept {
		crds, err := definitions(ctx, c)
		if err != nil {
			return nil, err
		}
		items = append(items, left("kinds", len(crds)))
	}
	var namespace corev1.Namespace
	err = c.Get(ctx, client.ObjectKey{Name: l.namespace}, &namespace)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("reading the namespace %s: %w", l.namespace, err)
	}
	if !l.namespaceKept {
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
