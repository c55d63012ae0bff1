package install

import (
	"context"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/manifests"
)

const enforceLabel = "pod-security.kubernetes.io/enforce"

// odiNamespace is odi's own namespace. The odiglet needs the host's process ids,
// which every Pod Security level but privileged forbids.
func odiNamespace(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name,
		Labels: map[string]string{
			odiv1.LabelManagedBy:               odiv1.ManagedByOdi, // `odi uninstall` removes only what carries it
			enforceLabel:                       "privileged",
			"pod-security.kubernetes.io/audit": "privileged",
			"pod-security.kubernetes.io/warn":  "privileged",
		},
	}}
}

// ensureNamespace makes the namespace. One that is there stays as it is, unless
// it would refuse the odiglet: then the user decides.
func ensureNamespace(ctx context.Context, c client.Client, name string) error {
	var found corev1.Namespace
	err := c.Get(ctx, client.ObjectKey{Name: name}, &found)
	if apierrors.IsNotFound(err) {
		if err := c.Create(ctx, odiNamespace(name)); err != nil {
			return fmt.Errorf("creating the namespace %s: %w", name, err)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the namespace %s: %w", name, err)
	}
	if found.DeletionTimestamp != nil {
		return fmt.Errorf("the namespace %s is being deleted; wait until it is gone: kubectl wait --for=delete namespace/%s", name, name)
	}
	if level := found.Labels[enforceLabel]; level != "" && level != "privileged" {
		return fmt.Errorf("the namespace %s enforces the Pod Security level %s, which refuses the odiglet; allow it with: kubectl label --overwrite namespace %s %s=privileged",
			name, level, name, enforceLabel)
	}
	return nil
}

func printNamespace(out io.Writer, name string) error {
	scheme, err := cluster.Scheme()
	if err != nil {
		return err
	}
	return manifests.Documents(out, scheme, odiNamespace(name))
}
