package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	// Applied is what the gateway has now.
	Applied applied
}

// Destination is one of them with what the destination controller said of it.
type Destination struct {
	*odiv1.Destination
	Verdict verdict
	Secrets map[string]string
	// Unread is why its Secret is not at hand, although it was.
	Unread error
}

// verdict is what the destination controller says of a Destination.
type verdict string

const (
	notJudged verdict = "never judged"
	outdated  verdict = "judged before its latest change"
	valid     verdict = "valid"
	kept      verdict = "valid before, in passing trouble now"
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
	case ready.Status == metav1.ConditionUnknown && ready.Reason == odiv1.ReasonKept:
		return kept
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
	if in.Applied, err = c.applied(ctx); err != nil {
		return Input{}, err
	}
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
			d.Secrets, d.Unread = c.secrets(ctx, d.Destination)
		}
		found = append(found, d)
	}
	slices.SortFunc(found, func(a, b Destination) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return found, nil
}

// errUnusable says that a Secret that was usable when it was judged is not now.
var errUnusable = errors.New("its Secret is not there any more, or not for Destinations")

// secrets of one Destination. Its trouble is not the others'.
func (c *Controller) secrets(ctx context.Context, d *odiv1.Destination) (map[string]string, error) {
	credentials, err := kube.DestinationCredentials(ctx, c.reader, d)
	if err == nil && (credentials.Missing || credentials.Refused != "") {
		err = errUnusable
	}
	return credentials.Values, err
}
