package release

import (
	"context"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/kinds"
)

// Namespaces lists where odi's release is. Whoever may not look is answered with none.
func Namespaces(ctx context.Context, to *cluster.Cluster) ([]string, error) {
	c, err := to.Client()
	if err != nil {
		return nil, err
	}
	revisions, err := revisionsOf(ctx, c, kinds.Owner{Name: Name})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, revision := range revisions {
		if slices.Contains(found, revision.Namespace) {
			continue
		}
		r, err := Open(to, revision.Namespace)
		if err != nil {
			return nil, err
		}
		state, err := r.State()
		if errors.Is(err, errForeign) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if state.Exists {
			found = append(found, revision.Namespace)
		}
	}
	return found, nil
}

// Elsewhere lists other namespaces with an odi: a release, or a manager that somebody else made.
func Elsewhere(ctx context.Context, to *cluster.Cluster, namespace string) ([]string, error) {
	found, err := Namespaces(ctx, to)
	if err != nil {
		return nil, err
	}
	c, err := to.Client()
	if err != nil {
		return nil, err
	}
	var managers appsv1.DeploymentList
	ours := client.MatchingLabels{cluster.PartOfLabel: "odi", odiv1.LabelComponent: "manager"}
	if err := c.List(ctx, &managers, ours); err != nil {
		return nil, fmt.Errorf("looking for odi's manager: %w", err)
	}
	for _, manager := range managers.Items {
		found = append(found, manager.Namespace)
	}
	slices.Sort(found)
	return slices.DeleteFunc(slices.Compact(found), func(n string) bool { return n == namespace }), nil
}

// gone says for sure that a release is no more.
func gone(ctx context.Context, c client.Client, owner kinds.Owner) (bool, error) {
	revisions, err := revisionsOf(ctx, c, owner)
	if apierrors.IsForbidden(err) {
		return false, nil
	}
	return err == nil && len(revisions) == 0, err
}

// revisionsOf lists the Secrets in which Helm keeps a release; of no namespace means of all.
func revisionsOf(ctx context.Context, c client.Client, owner kinds.Owner) ([]metav1.PartialObjectMetadata, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := c.List(ctx, list, client.InNamespace(owner.Namespace), client.MatchingLabels{"owner": "helm", "name": owner.Name})
	if err != nil {
		return nil, fmt.Errorf("listing the Helm releases of odi: %w", err)
	}
	return list.Items, nil
}
