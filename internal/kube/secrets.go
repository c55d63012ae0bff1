package kube

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Credentials are what is known of the secret fields of a Destination.
type Credentials struct {
	// Values by field.
	Values map[string]string
	// Missing means that it refers to a Secret that is not there.
	Missing bool
	// Refused is why the Secret may not be used, for the user.
	Refused string
}

// DestinationCredentials reads the secret fields of a Destination. White space around a value is cut off: a file that
// a Secret was made of ends with a new line, and no backend's key does. An error is nobody's fault and passes.
func DestinationCredentials(ctx context.Context, reader client.Reader, d *odiv1.Destination) (Credentials, error) {
	if d.Spec.SecretRef == nil {
		return Credentials{Values: map[string]string{}}, nil
	}
	name := d.Spec.SecretRef.Name
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return Credentials{Refused: fmt.Sprintf("%q is not a Secret's name", name)}, nil
	}
	var secret corev1.Secret
	err := reader.Get(ctx, types.NamespacedName{Namespace: d.Namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return Credentials{Missing: true}, nil
	}
	if err != nil {
		return Credentials{}, fmt.Errorf("reading the Secret of Destination %s/%s: %w", d.Namespace, d.Name, err)
	}
	if refused := refusal(&secret); refused != "" {
		return Credentials{Refused: refused}, nil
	}
	values := map[string]string{}
	for key, value := range secret.Data {
		if trimmed := strings.TrimSpace(string(value)); trimmed != "" {
			values[key] = trimmed
		}
	}
	return Credentials{Values: values}, nil
}

// refusal says why a Destination may not use a Secret, empty when it may. Who
// creates Destinations would else have odi send any Secret of the namespace to a
// server of his: a token of a service account has the key "token" like a backend's.
func refusal(s *corev1.Secret) string {
	switch {
	case s.Type == odiv1.SecretTypeDestination:
		return ""
	case s.Type != corev1.SecretTypeOpaque && s.Type != "":
		return fmt.Sprintf("the Secret %s is of type %s; a Destination takes Opaque or %s", s.Name, s.Type, odiv1.SecretTypeDestination)
	case s.Labels[odiv1.LabelUsableBy] != odiv1.UsableByDestinations:
		return fmt.Sprintf("the Secret %s is not marked for Destinations; who owns it says: kubectl label secret -n %s %s %s=%s",
			s.Name, s.Namespace, s.Name, odiv1.LabelUsableBy, odiv1.UsableByDestinations)
	}
	return ""
}
