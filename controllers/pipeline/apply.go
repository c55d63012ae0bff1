package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/collectorconfig"
)

// apply writes all objects and has the gateway's pods take them up.
func (c *Controller) apply(ctx context.Context, in Input, p plan) (reconcile.Result, error) {
	if p.Wait {
		return reconcile.Result{RequeueAfter: lookAgain}, nil // The new verdict wakes it before.
	}
	for _, name := range slices.Sorted(maps.Keys(p.LeftOut)) {
		log.FromContext(ctx).Info("left out a destination", "destination", name, "reason", p.LeftOut[name].Error())
	}
	g, err := newGateway(in, p)
	if err != nil {
		return reconcile.Result{}, err
	}
	if g.config != in.Applied {
		if err := c.validate(ctx, in, p); err != nil {
			return reconcile.Result{}, err
		}
	}
	version, err := c.applyObjects(ctx, g, p.Gateway.ConfigHash())
	if err != nil {
		return reconcile.Result{}, err
	}
	if g.config != in.Applied {
		c.announce(in, p)
	}
	return c.refreshPods(ctx, version)
}

// validate asks the collector about the whole: its parts were asked about one by one.
func (c *Controller) validate(ctx context.Context, in Input, p plan) error {
	err := c.validator.Validate(ctx, p.Gateway)
	var invalid *collectorconfig.InvalidError
	if errors.As(err, &invalid) && in.Manager != nil {
		c.events.Eventf(in.Manager, nil, corev1.EventTypeWarning, odiv1.ReasonInvalidConfig, "ConfigureGateway",
			"The gateway keeps its configuration; the collector refuses the new one: %s", invalid.Message)
	}
	if err != nil {
		return fmt.Errorf("validating the gateway's configuration: %w", err)
	}
	return nil
}

// withoutCache: waiting until a cache has seen a write starts one for the kind,
// which for Secrets and pods would need the right to list all of the cluster's.
const withoutCache = client.DisableReadYourWritesConsistency

// applyObjects returns a text that changes whenever the gateway's files do.
func (c *Controller) applyObjects(ctx context.Context, g gateway, hash string) (string, error) {
	version := hash
	for _, o := range objects(g) {
		err := c.client.Apply(ctx, o.object, fieldManager, client.ForceOwnership, withoutCache)
		if err != nil {
			return "", fmt.Errorf("applying %s: %w", o.name, err)
		}
		// Not a hash of the secrets: annotations are for everybody to read.
		if s, ok := o.object.(*coreac.SecretApplyConfiguration); ok && s.ResourceVersion != nil {
			version += "-" + *s.ResourceVersion
		}
	}
	return version, nil
}

func (c *Controller) announce(in Input, p plan) {
	if in.Manager == nil {
		return
	}
	sends := "nowhere: there is no valid Destination"
	if len(p.Lanes) > 0 {
		sends = "to " + strings.Join(p.Lanes, ", ")
	}
	c.events.Eventf(in.Manager, nil, corev1.EventTypeNormal, "GatewayConfigured", "ConfigureGateway", "The gateway sends %s", sends)
}

// refreshPods touches the gateway's pods, because a kubelet looks at the files
// of a pod that changed at once and at those of others once a minute.
func (c *Controller) refreshPods(ctx context.Context, version string) (reconcile.Result, error) {
	var pods corev1.PodList
	err := c.reader.List(ctx, &pods, client.InNamespace(c.config.Namespace), client.MatchingLabels{nameLabel: gatewayName})
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("listing the gateway's pods: %w", err)
	}
	next := lookAgain
	for i := range pods.Items {
		pod := &pods.Items[i]
		touch, again := nextTouch(pod.Annotations[odiv1.AnnotationConfigHash], version)
		if again {
			next = touchAgain
		}
		if touch == "" {
			continue
		}
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, odiv1.AnnotationConfigHash, touch)
		err := c.client.Patch(ctx, pod, client.RawPatch("application/merge-patch+json", patch), withoutCache)
		if client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, fmt.Errorf("refreshing pod %s: %w", pod.Name, err)
		}
	}
	return reconcile.Result{RequeueAfter: next}, nil
}

const (
	// touches per version, touchAgain apart: the kubelet's own view of a
	// ConfigMap can be older than the touch.
	touches    = 3
	touchAgain = 2 * time.Second
)

// nextTouch returns the annotation that a pod is to get ("" for none), and
// whether it is to be looked at again soon.
func nextTouch(have, version string) (string, bool) {
	for n := 1; n <= touches; n++ {
		if have == touch(version, n) {
			if n == touches {
				return "", false
			}
			return touch(version, n+1), n+1 < touches
		}
	}
	return touch(version, 1), true
}

func touch(version string, n int) string { return fmt.Sprintf("%s.%d", version, n) }
