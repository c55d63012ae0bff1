package stage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// Objects lists every object of the cluster, of every kind that can be listed,
// by its metadata alone. Events are left out: they outlive what they are about.
func (c *Cluster) Objects(ctx context.Context) ([]metav1.PartialObjectMetadata, error) {
	client, err := discovery.NewDiscoveryClientForConfigAndClient(c.rest, c.http)
	if err != nil {
		return nil, fmt.Errorf("asking for the kinds of the cluster: %w", err)
	}
	// A part of the answer is enough: an aggregated API of someone else may be down.
	lists, err := client.ServerPreferredResources()
	if len(lists) == 0 && err != nil {
		return nil, fmt.Errorf("asking for the kinds of the cluster: %w", err)
	}
	var all []metav1.PartialObjectMetadata
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("reading the group %q: %w", list.GroupVersion, err)
		}
		for _, resource := range list.APIResources {
			if resource.Kind == "Event" || !slices.Contains(resource.Verbs, "list") || strings.Contains(resource.Name, "/") {
				continue
			}
			objects, err := c.metadata(ctx, version.WithKind(resource.Kind))
			if err != nil {
				return nil, err
			}
			all = append(all, objects...)
		}
	}
	return all, nil
}

func (c *Cluster) metadata(ctx context.Context, kind schema.GroupVersionKind) ([]metav1.PartialObjectMetadata, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err := c.List(ctx, list); err != nil {
		return nil, fmt.Errorf("listing %s: %w", kind.Kind, err)
	}
	for i := range list.Items {
		list.Items[i].SetGroupVersionKind(kind)
	}
	return list.Items, nil
}
