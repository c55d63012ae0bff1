package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// Input is all that the collectors depend on.
type Input struct {
	Namespace string
	// Manager is the Deployment that owns all; nil where the manager runs outside of the cluster.
	Manager *appsv1.Deployment
	// Destinations by namespace and name.
	Destinations []Destination
	// Applied is the gateway's configuration as it is now.
	Applied string
}

// Destination is one of them with what the destination controller said of it.
type Destination struct {
	*odiv1.Destination
	Verdict verdict
	Secrets map[string]string
}

// verdict is what the destination controller says of a Destination.
type verdict string

const (
	notJudged verdict = "never judged"
	outdated  verdict = "judged before its latest change"
	valid     verdict = "valid"
	invalid   verdict = "invalid"
)

func verdictOf(d *odiv1.Destination) verdict {
	ready := meta.FindStatusCondition(d.Status.Conditions, odiv1.ConditionReady)
	switch {
	case ready == nil:
		return notJudged
	case ready.ObservedGeneration != d.Generation:
		return outdated
	case ready.Status == metav1.ConditionTrue:
		return valid
	}
	return invalid
}

func (c *Controller) gather(ctx context.Context) (Input, error) {
	in := Input{Namespace: c.config.Namespace}
	var err error
	if in.Manager, err = kube.ManagerDeployment(ctx, c.client, c.config); err != nil {
		return Input{}, err
	}
	if in.Destinations, err = c.destinations(ctx); err != nil {
		return Input{}, err
	}
	var applied corev1.ConfigMap
	err = c.reader.Get(ctx, types.NamespacedName{Namespace: in.Namespace, Name: gatewayName}, &applied)
	if client.IgnoreNotFound(err) != nil {
		return Input{}, fmt.Errorf("reading the gateway's configuration: %w", err)
	}
	in.Applied = applied.Data[configFile]
	return in, nil
}

func (c *Controller) destinations(ctx context.Context) ([]Destination, error) {
	var list odiv1.DestinationList
	if err := c.client.List(ctx, &list); err != nil {
		return nil, fmt.Errorf("listing Destinations: %w", err)
	}
	found := make([]Destination, 0, len(list.Items))
	for i := range list.Items {
		d := Destination{Destination: &list.Items[i], Verdict: verdictOf(&list.Items[i])}
		if d.Verdict == valid && !d.Spec.Disabled {
			secrets, _, err := kube.DestinationSecrets(ctx, c.reader, d.Destination)
			if err != nil {
				return nil, err
			}
			d.Secrets = secrets
		}
		found = append(found, d)
	}
	slices.SortFunc(found, func(a, b Destination) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return found, nil
}
