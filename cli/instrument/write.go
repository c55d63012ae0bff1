package instrument

import (
	"context"
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/cli/streams"
)

// write applies the config. One that is there keeps what it says besides the
// method and what flags were given: its owner may have written more than this command can.
func write(ctx context.Context, c client.Client, config *odiv1.InstrumentationConfig) (string, error) {
	var have odiv1.InstrumentationConfig
	err := c.Get(ctx, client.ObjectKeyFromObject(config), &have)
	if apierrors.IsNotFound(err) {
		if err := c.Create(ctx, config, client.FieldOwner("odi")); err != nil {
			return "", fmt.Errorf("creating InstrumentationConfig %s/%s: %w", config.Namespace, config.Name, err)
		}
		return "created", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading InstrumentationConfig %s/%s: %w", config.Namespace, config.Name, err)
	}
	before := have.DeepCopy()
	have.Spec.Method, have.Spec.Target = config.Spec.Method, config.Spec.Target
	have.Spec.Agents = merge(have.Spec.Agents, config.Spec.Agents)
	if config.Spec.Rollout != "" {
		have.Spec.Rollout = config.Spec.Rollout
	}
	if config.Spec.Sampling.Ratio != "" {
		have.Spec.Sampling = config.Spec.Sampling
	}
	if reflect.DeepEqual(have.Spec, before.Spec) {
		return "unchanged", nil
	}
	if err := c.Update(ctx, &have, client.FieldOwner("odi")); err != nil {
		return "", fmt.Errorf("changing InstrumentationConfig %s/%s: %w", config.Namespace, config.Name, err)
	}
	return "changed", nil
}

// hintDestination says that data has nowhere to go yet. Whoever may not look gets no hint.
func hintDestination(ctx context.Context, io streams.Streams, c client.Client) {
	var destinations odiv1.DestinationList
	if err := c.List(ctx, &destinations); err != nil || len(destinations.Items) > 0 {
		return
	}
	fmt.Fprintln(io.Err, "No destination yet: say where the data goes with: odi destination add <type>")
}

// wait shows the workloads of the wish until all of them are instrumented and
// their data has a way to its destinations.
func wait(ctx context.Context, io streams.Streams, c client.Client, wish selected.Wish, timeout time.Duration) error {
	err := progress.Wait(ctx, io, timeout, func(ctx context.Context) ([]progress.Item, error) {
		state, err := wish.State(ctx, c)
		if err != nil {
			return nil, err
		}
		return append(selected.Items(wish, state), waysOut(ctx, c, wish)...), nil
	})
	if err != nil {
		return fmt.Errorf("%w; to see why: odi describe %s", err, wish.DescribeArgs())
	}
	return nil
}
