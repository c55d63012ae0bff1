// Package find finds the Destination that a command line names.
package find

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/exit"
)

// Destination is the one of a name in the namespace of --namespace, else in odi's own.
// Where there is none, the error names those that there are.
func Destination(ctx context.Context, to *cluster.Cluster, c client.Client, name string) (*odiv1.Destination, error) {
	namespace := to.NamespaceFlag()
	if namespace == "" {
		var err error
		if namespace, err = cluster.OdiNamespace(ctx, c); err != nil {
			return nil, err
		}
	}
	destination := &odiv1.Destination{}
	err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, destination)
	if apierrors.IsNotFound(err) {
		return nil, unknown(ctx, c, namespace, name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the destination %s/%s: %w", namespace, name, err)
	}
	return destination, nil
}

func unknown(ctx context.Context, c client.Client, namespace, name string) error {
	var all odiv1.DestinationList
	if err := c.List(ctx, &all); err != nil {
		return exit.Usagef("there is no destination %s in %s", name, namespace)
	}
	var here, elsewhere []string
	for _, d := range all.Items {
		if d.Namespace == namespace {
			here = append(here, d.Name)
		} else if d.Name == name {
			elsewhere = append(elsewhere, "-n "+d.Namespace)
		}
	}
	switch {
	case len(elsewhere) > 0:
		return exit.Usagef("there is no destination %s in %s; there is one with %s", name, namespace, strings.Join(elsewhere, " and "))
	case len(here) > 0:
		return exit.Usagef("there is no destination %s in %s; there are: %s", name, namespace, strings.Join(here, ", "))
	default:
		return exit.Usagef("there is no destination %s in %s; there is none at all", name, namespace)
	}
}
