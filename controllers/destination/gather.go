package destination

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/types"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/internal/kube"
)

// Input is all that is said of a Destination depends on.
type Input struct {
	Destination *odiv1.Destination
	// SecretMissing means that the Secret that it refers to does not exist.
	SecretMissing bool
	// Lane is its way through the gateway, when Problem is nil.
	Lane collectorconfig.Lane
	// Problem is what is wrong with its fields.
	Problem error
	// Refusal is the collector's complaint.
	Refusal string
	// Unasked is why the collector could not be asked.
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
// again costs 20 ms each.
const rememberedAtMost = 1000

func (c *Controller) gather(ctx context.Context, d *odiv1.Destination) (Input, error) {
	in := Input{Destination: d}
	secrets, found, err := kube.DestinationSecrets(ctx, c.reader, d)
	if err != nil {
		return Input{}, err
	}
	in.SecretMissing = !found
	in.Lane, in.Problem = collectorconfig.LaneOf(d, c.namespace, secrets)
	if in.Problem != nil || in.SecretMissing {
		return in, nil
	}
	in.Refusal, in.Unasked = c.ask(ctx, d.UID, in.Lane)
	in.Health = c.health.healthOf(in.Lane.Name)
	in.Counted = c.count(d, in.Health)
	return in, nil
}

// ask has the collector validate a gateway of this one lane, once per content.
func (c *Controller) ask(ctx context.Context, uid types.UID, lane collectorconfig.Lane) (string, error) {
	config, err := collectorconfig.Gateway([]collectorconfig.Lane{lane})
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known, found := c.validated[uid]
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
