package instrument

import (
	"context"
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/cli/chain"
	"github.com/odi-dev/odi/cli/cluster"
	"github.com/odi-dev/odi/cli/progress"
	"github.com/odi-dev/odi/cli/selected"
	"github.com/odi-dev/odi/cli/streams"
)

// write applies the config. One that is there keeps what it says besides the
// method and what flags were given: its owner may have written more than this command can.
func write(ctx context.Context, c client.Client, config *odiv1.InstrumentationConfig) (*odiv1.InstrumentationConfig, string, error) {
	var have odiv1.InstrumentationConfig
	err := c.Get(ctx, client.ObjectKeyFromObject(config), &have)
	if apierrors.IsNotFound(err) {
		if err := c.Create(ctx, config, client.FieldOwner("odi")); err != nil {
			return nil, "", fmt.Errorf("creating InstrumentationConfig %s/%s: %w", config.Namespace, config.Name, err)
		}
		return config, "created", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading InstrumentationConfig %s/%s: %w", config.Namespace, config.Name, err)
	}
	before := have.DeepCopy()
	have.Spec.Method, have.Spec.Target = config.Spec.Method, config.Spec.Target
	have.Spec.Agents = merge(have.Spec.Agents, config.Spec.Agents)
	if config.Spec.Rollout != "" {
		have.Spec.Rollout = config.Spec.Rollout
	}
	if config.Spec.Propagation != "" {
		have.Spec.Propagation = config.Spec.Propagation
	}
	if config.Spec.Sampling.Ratio != "" {
		have.Spec.Sampling.Ratio = config.Spec.Sampling.Ratio
	}
	if len(config.Spec.Sampling.Rules) > 0 {
		have.Spec.Sampling.Rules = config.Spec.Sampling.Rules
	}
	if reflect.DeepEqual(have.Spec, before.Spec) {
		return &have, "unchanged", nil
	}
	if err := c.Update(ctx, &have, client.FieldOwner("odi")); err != nil {
		return nil, "", fmt.Errorf("changing InstrumentationConfig %s/%s: %w", config.Namespace, config.Name, err)
	}
	return &have, "changed", nil
}

// hint says what is missing for a trace to arrive somewhere. Whoever may not look gets no hint.
func hint(ctx context.Context, io streams.Streams, c client.Client, wish selected.Wish) {
	odi, err := cluster.OdiNamespace(ctx, c)
	if err != nil {
		return
	}
	all, err := destinationsOf(ctx, c, wish.Namespace, odi)
	if err != nil {
		return
	}
	if lack := chain.Lack(wish.Namespace, odi, all); lack != "" {
		fmt.Fprintln(io.Err, lack)
	}
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
