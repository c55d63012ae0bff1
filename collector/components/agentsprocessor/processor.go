package agentsprocessor

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/odi-dev/odi/collector/components/agentsextension"
)

const stability = component.StabilityLevelBeta

// notWanted is a signal that the workload's configuration does not ask for.
const notWanted agentsextension.Refusal = "signal_off"

type config struct{}

// NewFactory returns the factory of the odi_agents processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		component.MustNewType("odi_agents"),
		func() component.Config { return &config{} },
		processor.WithTraces(func(_ context.Context, set processor.Settings, _ component.Config, next consumer.Traces) (processor.Traces, error) {
			d, err := newDesk(set, "traces")
			return &traces{d, next}, err
		}, stability),
		processor.WithMetrics(func(_ context.Context, set processor.Settings, _ component.Config, next consumer.Metrics) (processor.Metrics, error) {
			d, err := newDesk(set, "metrics")
			return &metrics{d, next}, err
		}, stability),
		processor.WithLogs(func(_ context.Context, set processor.Settings, _ component.Config, next consumer.Logs) (processor.Logs, error) {
			d, err := newDesk(set, "logs")
			return &logs{d, next}, err
		}, stability),
	)
}

// desk is what is alike for all signals.
type desk struct {
	component.ShutdownFunc
	signal  string
	dropped metric.Int64Counter
	knows   *agentsextension.Extension
}

func newDesk(set processor.Settings, signal string) (*desk, error) {
	dropped, err := set.MeterProvider.Meter("github.com/odi-dev/odi/collector/agents").Int64Counter("odi_agents_dropped",
		metric.WithDescription("Spans, data points and log records of agents that were not let through."))
	if err != nil {
		return nil, fmt.Errorf("making a counter: %w", err)
	}
	return &desk{signal: signal, dropped: dropped}, nil
}

// Start implements component.Component.
func (d *desk) Start(_ context.Context, host component.Host) error {
	for _, extension := range host.GetExtensions() {
		if found, ok := extension.(*agentsextension.Extension); ok {
			d.knows = found
			return nil
		}
	}
	return errors.New("the odi_agents extension is not there")
}

// Capabilities implements consumer.Consumer.
func (*desk) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

// batch is what becomes of one request.
type batch struct {
	*desk
	ctx  context.Context
	peer agentsextension.Peer
	// refused is why the last resource was, unless its signal is only not wanted.
	refused agentsextension.Refusal
}

func (d *desk) begin(ctx context.Context) (*batch, error) {
	peer, ok := agentsextension.PeerOf(ctx)
	if !ok {
		return nil, status.Error(codes.PermissionDenied, "nobody knows who sent this")
	}
	return &batch{desk: d, ctx: ctx, peer: peer}, nil
}

// owner is whose a resource is.
type owner struct {
	uid, container string
	leftOut        leftOut
}

// one stamps a resource, or says that it is to be removed. items is how many spans and
// the like it has.
func (b *batch) one(attributes pcommon.Map, items int) (remove bool, of owner) {
	pod, why := b.peer.Pod(claim(attributes, podUID))
	if why != agentsextension.Accepted {
		b.refused = why
		b.count(items, why)
		return true, owner{}
	}
	identity, container := pod.Of(claim(attributes, containerName))
	if !pod.Wants(b.signal) {
		b.count(items, notWanted)
		return true, owner{uid: pod.UID, container: container}
	}
	stamp(attributes, identity)
	return false, owner{uid: pod.UID, container: container, leftOut: leftOut{ignored: pod.Ignored, probes: identity.Probes}}
}

func (b *batch) count(items int, why agentsextension.Refusal) {
	b.dropped.Add(b.ctx, int64(items), metric.WithAttributes(
		attribute.String("data_type", b.signal), attribute.String("reason", string(why))))
}

// end is the answer where nothing is left.
func (b *batch) end() error {
	if b.refused != agentsextension.Accepted {
		return status.Error(codes.PermissionDenied, "refused: "+string(b.refused))
	}
	return nil
}
