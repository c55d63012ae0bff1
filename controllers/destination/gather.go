package destination

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/kube"
)

// Input is all that is said of a Destination depends on.
type Input struct {
	Destination *odiv1.Destination
	Now         time.Time
	// Rank is its place among those of its namespace, by age; Most is how many are used.
	Rank, Most int
	// SecretMissing means that the Secret that it refers to does not exist.
	SecretMissing bool
	// Lane is its way through the gateway, when Problem is nil.
	Lane collectorconfig.Lane
	// Problem is what is wrong with its fields.
	Problem error
	// SecretRefused is why its Secret may not be used.
	SecretRefused string
	// Refusal is the collector's complaint.
	Refusal string
	// Unasked is why its Secret or the collector could not be asked.
	Unasked error
	Health  health
	// Counted is what was sent and failed since the Destination was made.
	Counted counts
}

// counts are of spans, data points and log records.
type counts struct{ sent, failed int64 }

// validation remembers the collector's answer to one configuration.
type validation struct {
	hash    string
	refusal string
}

// rememberedAtMost bounds what is kept of Destinations that are gone; to ask
// again costs 60 ms each.
const rememberedAtMost = 1000

func (c *Controller) gather(ctx context.Context, d *odiv1.Destination) (Input, error) {
	in := Input{Destination: d, Now: c.now(), Most: mostPerNamespace}
	if d.Namespace == c.namespace {
		in.Most = mostOfOdi
	}
	var err error
	if in.Rank, err = c.rank(ctx, d); err != nil {
		return Input{}, err
	}
	in.Health = c.health.healthOf(laneKey(d), d.Generation)
	in.Counted = c.count(d, in.Health)
	if in.Rank >= in.Most {
		return in, nil
	}
	var credentials kube.Credentials
	if credentials, in.Unasked = kube.DestinationCredentials(ctx, c.reader, d); in.Unasked != nil {
		return in, nil
	}
	in.SecretMissing, in.SecretRefused = credentials.Missing, credentials.Refused
	in.Lane, in.Problem = collectorconfig.LaneOf(d, c.namespace, credentials.Values)
	if in.Problem == nil {
		in.Problem = c.outbound.Check(d)
	}
	if in.Problem != nil || in.SecretMissing || in.SecretRefused != "" {
		return in, nil
	}
	in.Refusal, in.Unasked = c.ask(ctx, d.UID, in.Lane)
	return in, nil
}

// How many Destinations are used. Each costs the gateway memory and each of
// their changes a reload: no tenant is to crowd out the others, and odi's own
// namespace is for those who own the cluster.
const (
	mostPerNamespace = 20
	mostOfOdi        = 200
)

// rank counts the older ones of the namespace.
func (c *Controller) rank(ctx context.Context, d *odiv1.Destination) (int, error) {
	var list odiv1.DestinationList
	if err := c.client.List(ctx, &list, client.InNamespace(d.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return 0, fmt.Errorf("listing the Destinations of %s: %w", d.Namespace, err)
	}
	older := 0
	for i := range list.Items {
		other := &list.Items[i]
		before := other.CreationTimestamp.Compare(d.CreationTimestamp.Time)
		if before < 0 || before == 0 && other.Name < d.Name {
			older++
		}
	}
	return older, nil
}

func laneKey(d *odiv1.Destination) string {
	return collectorconfig.Lane{Name: d.Namespace + "/" + d.Name, UID: string(d.UID)}.Key()
}

// ask has the collector validate a gateway of this one lane, once per content.
func (c *Controller) ask(ctx context.Context, uid types.UID, lane collectorconfig.Lane) (string, error) {
	config, err := collectorconfig.Gateway([]collectorconfig.Lane{lane})
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	known, found := c.validated[uid]
	c.mu.Unlock()
	if found && known.hash == config.ConfigHash() {
		return known.refusal, nil
	}
	answer := validation{hash: config.ConfigHash()}
	err = c.validator.Validate(ctx, config)
	var invalid *collectorconfig.InvalidError
	if errors.As(err, &invalid) {
		answer.refusal, err = invalid.Message, nil
	}
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.validated) > rememberedAtMost {
		clear(c.validated)
	}
	c.validated[uid] = answer
	return answer.refusal, nil
}

// count adds what the gateway counted since this manager looks to what the
// status says from before. On the first look the two overlap: the larger counts.
func (c *Controller) count(d *odiv1.Destination, h health) counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, found := c.counted[d.UID]
	if !found && h.gateway {
		if len(c.counted) > rememberedAtMost {
			clear(c.counted)
		}
		before = counts{sent: max(0, d.Status.Sent-h.sent), failed: max(0, d.Status.Failed-h.failed)}
		c.counted[d.UID] = before
	}
	if !found && !h.gateway {
		return counts{sent: d.Status.Sent, failed: d.Status.Failed}
	}
	return counts{sent: before.sent + h.sent, failed: before.failed + h.failed}
}
