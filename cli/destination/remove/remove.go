package remove

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/complete"
	"github.com/odi-dev/odi/cli/destination/find"
	"github.com/odi-dev/odi/cli/exit"
	"github.com/odi-dev/odi/cli/streams"
)

// New returns the command.
func New(io streams.Streams, to *cluster.Cluster) *cobra.Command {
	return &cobra.Command{
		Use:     "remove <name>",
		Aliases: []string{"rm", "delete"},
		Short:   "Remove a destination and its credentials",
		Long: `Remove a destination and the credentials that odi destination add stored for it, once
the gateway sends nothing to it any more. What still waits for it is dropped.`,
		Example:           "  odi destination remove jaeger",
		Args:              exit.Args("name"),
		ValidArgsFunction: complete.Destinations(to),
		RunE:              func(cmd *cobra.Command, args []string) error { return run(cmd.Context(), io, to, args[0]) },
	}
}

func run(ctx context.Context, io streams.Streams, to *cluster.Cluster, name string) error {
	c, err := to.Client()
	if err != nil {
		return err
	}
	destination, err := find.Destination(ctx, to, c, name)
	if err != nil {
		return err
	}
	namespace := destination.Namespace
	if err := switchOff(ctx, io, c, destination); err != nil {
		return err
	}
	if err := client.IgnoreNotFound(c.Delete(ctx, destination)); err != nil {
		return fmt.Errorf("deleting the destination %s/%s (spec.disabled is %t now): %w", namespace, name, destination.Spec.Disabled, err)
	}
	if err := removeCredentials(ctx, c, destination); err != nil {
		return err
	}
	fmt.Fprintf(io.Out, "destination %s/%s removed\n", namespace, name)
	return nil
}

// removeCredentials deletes the Secret if it is odi's own; one that a user made stays.
func removeCredentials(ctx context.Context, c client.Client, destination *odiv1.Destination) error {
	if destination.Spec.SecretRef == nil {
		return nil
	}
	var secret corev1.Secret
	err := c.Get(ctx, client.ObjectKey{Namespace: destination.Namespace, Name: destination.Spec.SecretRef.Name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the credentials of %s: %w", destination.Name, err)
	}
	if secret.Labels[odiv1.LabelManagedBy] != odiv1.ManagedByOdi {
		return nil
	}
	if err := client.IgnoreNotFound(c.Delete(ctx, &secret)); err != nil {
		return fmt.Errorf("deleting the credentials of %s: %w", destination.Name, err)
	}
	return nil
}
