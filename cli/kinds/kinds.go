package kinds

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// What Helm writes on the objects of a release, and reads before it deletes one.
const (
	ReleaseNameAnnotation      = "meta.helm.sh/release-name"
	ReleaseNamespaceAnnotation = "meta.helm.sh/release-namespace"
	policyAnnotation           = "helm.sh/resource-policy"
	keepPolicy                 = "keep"
)

// versionLabel is set by the chart.
const versionLabel = "app.kubernetes.io/version"

// Owner is a Helm release. The zero value is none.
type Owner struct{ Namespace, Name string }

// Definition is one of odi's kinds as it is in the cluster.
type Definition struct {
	Name  string
	Owner Owner
	// Version of the odi that wrote it; empty where it was not written by the chart.
	Version string
	// Kept means that Helm leaves it when the release goes.
	Kept bool
}

// kind is read as metadata only: the definitions themselves are large.
var kind = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

// List returns odi's kinds, whoever made them.
func List(ctx context.Context, c client.Client) ([]Definition, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind)
	if err := c.List(ctx, list); err != nil {
		return nil, fmt.Errorf("listing odi's kinds: %w", err)
	}
	var found []Definition
	for _, crd := range list.Items {
		if !strings.HasSuffix(crd.Name, "."+odiv1.GroupVersion.Group) {
			continue
		}
		found = append(found, Definition{
			Name:    crd.Name,
			Owner:   Owner{Namespace: crd.Annotations[ReleaseNamespaceAnnotation], Name: crd.Annotations[ReleaseNameAnnotation]},
			Version: crd.Labels[versionLabel],
			Kept:    crd.Annotations[policyAnnotation] == keepPolicy,
		})
	}
	return found, nil
}

// Of returns those that belong to a release.
func Of(owner Owner, all []Definition) []Definition {
	var own []Definition
	for _, d := range all {
		if d.Owner == owner {
			own = append(own, d)
		}
	}
	return own
}

// Keep tells Helm to leave them. Charts before this one did not say so in the
// objects themselves, where Helm looks before it deletes what a new revision has no more.
func Keep(ctx context.Context, c client.Client, definitions []Definition) error {
	for _, d := range definitions {
		if d.Kept {
			continue
		}
		if err := annotate(ctx, c, d.Name, map[string]string{policyAnnotation: keepPolicy}); err != nil {
			return err
		}
	}
	return nil
}

// Give makes them part of a release, which Helm otherwise refuses to take them into.
func Give(ctx context.Context, c client.Client, definitions []Definition, to Owner) error {
	for _, d := range definitions {
		err := annotate(ctx, c, d.Name, map[string]string{ReleaseNameAnnotation: to.Name, ReleaseNamespaceAnnotation: to.Namespace})
		if err != nil {
			return err
		}
	}
	return nil
}

func annotate(ctx context.Context, c client.Client, name string, annotations map[string]string) error {
	crd := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name}}
	crd.SetGroupVersionKind(kind)
	before := crd.DeepCopy()
	crd.SetAnnotations(annotations)
	if err := c.Patch(ctx, crd, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("annotating the kind %s: %w", name, err)
	}
	return nil
}

// Delete deletes them, and with them every object of theirs.
func Delete(ctx context.Context, c client.Client, definitions []Definition) error {
	for _, d := range definitions {
		crd := &unstructured.Unstructured{} // deleting by metadata alone needs a scheme that knows the kind
		crd.SetGroupVersionKind(kind)
		crd.SetName(d.Name)
		if err := client.IgnoreNotFound(c.Delete(ctx, crd)); err != nil {
			return fmt.Errorf("deleting the kind %s: %w", d.Name, err)
		}
	}
	return nil
}
