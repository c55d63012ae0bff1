package add

import (
	"context"
	"fmt"
	"maps"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/exit"
)

const owner = client.FieldOwner("odi")

// write creates the objects, credentials first, so that the destination is never
// seen without them. done says in one word what happened.
func write(ctx context.Context, c client.Client, o objects, replace bool) (done string, err error) {
	var have odiv1.Destination
	err = c.Get(ctx, client.ObjectKeyFromObject(o.destination), &have)
	if apierrors.IsNotFound(err) {
		return "added", create(ctx, c, o)
	}
	if err != nil {
		return "", fmt.Errorf("reading the destination %s/%s: %w", o.destination.Namespace, o.destination.Name, err)
	}
	same, err := sameAs(ctx, c, o, &have)
	if err != nil {
		return "", err
	}
	if same {
		return "unchanged", nil
	}
	if !replace {
		return "", exit.Usagef("there is a destination %s/%s already; give this one another name with --name, or change that one with --replace",
			have.Namespace, have.Name)
	}
	if have.Spec.Type != o.destination.Spec.Type {
		return "", exit.Usagef("the destination %s/%s is of type %s, which cannot be changed; remove it first: odi destination remove %s",
			have.Namespace, have.Name, have.Spec.Type, have.Name)
	}
	return "changed", change(ctx, c, o, &have)
}

func create(ctx context.Context, c client.Client, o objects) error {
	if err := writeSecret(ctx, c, o.secret); err != nil {
		return err
	}
	if err := c.Create(ctx, o.destination, owner); err != nil {
		return fmt.Errorf("creating the destination %s/%s: %w", o.destination.Namespace, o.destination.Name, err)
	}
	return adopt(ctx, c, o)
}

func change(ctx context.Context, c client.Client, o objects, have *odiv1.Destination) error {
	if err := writeSecret(ctx, c, o.secret); err != nil {
		return err
	}
	have.Spec = o.destination.Spec
	if err := c.Update(ctx, have, owner); err != nil {
		return fmt.Errorf("changing the destination %s/%s: %w", have.Namespace, have.Name, err)
	}
	*o.destination = *have
	return adopt(ctx, c, o)
}

func writeSecret(ctx context.Context, c client.Client, secret *corev1.Secret) error {
	if secret == nil {
		return nil
	}
	var have corev1.Secret
	err := c.Get(ctx, client.ObjectKeyFromObject(secret), &have)
	switch {
	case apierrors.IsNotFound(err):
		err = c.Create(ctx, secret, owner)
	case err == nil && have.Labels[odiv1.LabelManagedBy] != odiv1.ManagedByOdi:
		return exit.Usagef("the Secret %s/%s exists and is not odi's; choose another --name", secret.Namespace, secret.Name)
	case err == nil:
		have.Data, have.StringData, have.Labels = nil, secret.StringData, secret.Labels
		err = c.Update(ctx, &have, owner)
		*secret = have
	}
	if err != nil {
		return fmt.Errorf("storing the credentials in the Secret %s/%s: %w", secret.Namespace, secret.Name, err)
	}
	return nil
}

// adopt makes the credentials go with the destination, also when kubectl deletes it.
func adopt(ctx context.Context, c client.Client, o objects) error {
	if o.secret == nil || o.dryRun {
		return nil
	}
	err := controllerutil.SetOwnerReference(o.destination, o.secret, c.Scheme())
	if err == nil {
		err = c.Update(ctx, o.secret, owner)
	}
	if err != nil {
		return fmt.Errorf("tying the Secret %s/%s to its destination: %w", o.secret.Namespace, o.secret.Name, err)
	}
	return nil
}

func sameAs(ctx context.Context, c client.Client, o objects, have *odiv1.Destination) (bool, error) {
	want := o.destination.Spec
	if want.Type != have.Spec.Type || !maps.Equal(want.Config, have.Spec.Config) ||
		!reflect.DeepEqual(want.SecretRef, have.Spec.SecretRef) || !reflect.DeepEqual(want.Signals, have.Spec.Signals) {
		return false, nil
	}
	if o.secret == nil {
		return true, nil
	}
	var secret corev1.Secret
	err := c.Get(ctx, client.ObjectKeyFromObject(o.secret), &secret)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the credentials of %s: %w", have.Name, err)
	}
	stored := map[string]string{}
	for name, value := range secret.Data {
		stored[name] = string(value)
	}
	return maps.Equal(stored, o.secret.StringData) && maps.Equal(secret.Labels, o.secret.Labels), nil
}
