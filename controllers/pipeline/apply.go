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
	for _, name := range slices.Sorted(maps.Keys(p.LeftOut)) {
		log.FromContext(ctx).Info("left out a destination, or kept it as it was", "destination", name, "reason", p.LeftOut[name].Error())
	}
	text, err := p.Gateway.YAML()
	if err != nil {
		return reconcile.Result{}, err
	}
	changed := text != in.Applied.Config
	if changed {
		if rest := settling(in.Applied, c.now().Sub(c.changed)); rest > 0 {
			return reconcile.Result{RequeueAfter: rest}, nil
		}
		if p, err = c.validated(ctx, in, p); err != nil {
			return reconcile.Result{}, err
		}
		c.changed = c.now()
		if text, err = p.Gateway.YAML(); err != nil {
			return reconcile.Result{}, err
		}
		changed = text != in.Applied.Config // A lane that is left out each time is no news.
	}
	g, err := newGateway(in, p)
	if err != nil {
		return reconcile.Result{}, err
	}
	version, err := c.applyObjects(ctx, g, p.Gateway.ConfigHash())
	if err != nil {
		return reconcile.Result{}, err
	}
	if changed {
		c.announce(in, p)
	}
	return c.refreshPods(ctx, version)
}

// settleFor is the least time between two configurations: each is a reload,
// during which everybody's data waits at the nodes. Changes that come together go
// together, and who edits a Destination all the time costs the others little.
// The first Destination waits for nothing: while there is none, data is thrown away.
const settleFor = 3 * time.Second

// settling is how long the next configuration has to wait, so long after the one before.
func settling(have applied, since time.Duration) time.Duration {
	if len(have.Lanes) == 0 {
		return 0
	}
	return settleFor - since
}

// validated asks the collector about the whole, whose parts were asked about one
// by one, and leaves out the lanes that it complains about.
func (c *Controller) validated(ctx context.Context, in Input, p plan) (plan, error) {
	for {
		err := c.validator.Validate(ctx, p.Gateway)
		var invalid *collectorconfig.InvalidError
		if !errors.As(err, &invalid) {
			if err != nil { // Each lane was started by itself, and the gateway keeps what it has if it must.
				log.FromContext(ctx).Error(err, "the whole could not be validated")
			}
			return p, nil
		}
		if in.Manager != nil {
			c.events.Eventf(in.Manager, nil, corev1.EventTypeWarning, odiv1.ReasonInvalidConfig, "ConfigureGateway",
				"The collector refuses the gateway's new configuration: %s", invalid.Message)
		}
		blamed := p.blamed(invalid.Message)
		if len(blamed) == 0 {
			return plan{}, fmt.Errorf("validating the gateway's configuration: %w", err)
		}
		for name := range blamed {
			log.FromContext(ctx).Info("left out a destination", "destination", name, "reason", invalid.Message)
		}
		if p, err = p.without(blamed, err); err != nil {
			return plan{}, err
		}
	}
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
		sends = "to " + strings.Join(p.names(), ", ")
		if len(sends) > longestNote {
			sends = fmt.Sprintf("to %d Destinations", len(p.Lanes))
		}
	}
	c.events.Eventf(in.Manager, nil, corev1.EventTypeNormal, "GatewayConfigured", "ConfigureGateway", "The gateway sends %s", sends)
}

// longestNote is as much of an Event's note as names may take; the API takes 1024 bytes.
const longestNote = 900

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
		touch, pause := nextTouch(pod.Annotations[odiv1.AnnotationConfigHash], version)
		next = min(next, pause)
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

// touchPauses lie between the touches for one version: the kubelet's own view of a
// ConfigMap can be older than a touch, mostly by some milliseconds.
var touchPauses = []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}

// nextTouch returns the annotation that a pod is to get ("" for none), and after
// how long it is to be looked at again.
func nextTouch(have, version string) (string, time.Duration) {
	n := 0 // touches that it has
	for i := range touchPauses {
		if have == touch(version, i+1) {
			n = i + 1
		}
	}
	switch {
	case have == touch(version, len(touchPauses)+1):
		return "", lookAgain
	case n == len(touchPauses):
		return touch(version, n+1), lookAgain
	}
	return touch(version, n+1), touchPauses[n]
}

func touch(version string, n int) string { return fmt.Sprintf("%s.%d", version, n) }
