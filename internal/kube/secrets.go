package kube

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// DestinationSecrets reads the secret fields of a Destination; false means that
// it refers to a Secret that is not there. White space around a value is cut off: a file that a Secret was made of ends
// with a new line, and no backend's key does.
func DestinationSecrets(ctx context.Context, reader client.Reader, d *odiv1.Destination) (map[string]string, bool, error) {
	if d.Spec.SecretRef == nil {
		return map[string]string{}, true, nil
	}
	var secret corev1.Secret
	err := reader.Get(ctx, types.NamespacedName{Namespace: d.Namespace, Name: d.Spec.SecretRef.Name}, &secret)
	if apierrors.IsNotFound(err) {
		return map[string]string{}, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading the Secret of Destination %s/%s: %w", d.Namespace, d.Name, err)
	}
	values := map[string]string{}
	for key, value := range secret.Data {
		if trimmed := strings.TrimSpace(string(value)); trimmed != "" {
			values[key] = trimmed
		}
	}
	return values, true, nil
}
