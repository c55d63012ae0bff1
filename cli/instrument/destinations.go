package instrument

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/chain"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/selected"
)

// waysOut are the Destinations that take the wish's data and that the gateway does
// not know yet: what is sent before it does goes nowhere. Whether their backends
// answer is not for this command to wait for. Whoever may not look waits for none.
func waysOut(ctx context.Context, c client.Client, wish selected.Wish) []progress.Item {
	odi, err := cluster.OdiNamespace(ctx, c)
	if err != nil {
		return nil
	}
	all, err := destinationsOf(ctx, c, wish.Namespace, odi)
	if err != nil {
		return nil
	}
	var items []progress.Item
	for _, d := range chain.For(wish.Namespace, odi, all) {
		if !taken(&d) {
			items = append(items, progress.Item{Name: "destination " + d.Name, Text: "waiting for the gateway to take it up"})
		}
	}
	return items
}

// destinationsOf lists what may take the data of a namespace. Who may read one of the two namespaces sees half of them.
func destinationsOf(ctx context.Context, c client.Client, namespace, odi string) (all []odiv1.Destination, err error) {
	for _, namespace := range slices.Compact([]string{namespace, odi}) {
		var list odiv1.DestinationList
		if listErr := c.List(ctx, &list, client.InNamespace(namespace)); listErr != nil {
			err = fmt.Errorf("listing the destinations of %s: %w", namespace, listErr)
			continue
		}
		all = append(all, list.Items...)
	}
	if len(all) > 0 {
		err = nil
	}
	return all, err
}

// taken says that waiting for the gateway changes nothing any more.
func taken(d *odiv1.Destination) bool {
	ready := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionReady)
	exporting := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionExporting)
	return ready != nil && exporting != nil && ready.ObservedGeneration == d.Generation &&
		exporting.Reason != odiv1.ReasonGatewayNotReady
}
