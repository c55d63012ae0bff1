package entryconnector

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

const (
	stability = component.StabilityLevelBeta
	// warnEvery keeps a loop from filling the log.
	warnEvery = time.Minute
)

// Config of the way in.
type Config struct {
	// Name of the gateway, the same for all of its replicas. Without one, each
	// process takes one by chance.
	Name string `mapstructure:"name"`
}

// byChance is the name of a process that was given none.
var byChance = rand.Text()

// NewFactory returns the factory of the odi_entry connector.
func NewFactory() connector.Factory {
	return connector.NewFactory(
		component.MustNewType("odi_entry"),
		func() component.Config { return &Config{} },
		connector.WithTracesToTraces(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Traces) (connector.Traces, error) {
			e, err := newEntry(set, cfg, "traces")
			return &traces{e, next}, err
		}, stability),
		connector.WithMetricsToMetrics(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Metrics, error) {
			e, err := newEntry(set, cfg, "metrics")
			return &metrics{e, next}, err
		}, stability),
		connector.WithLogsToLogs(func(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Logs, error) {
			e, err := newEntry(set, cfg, "logs")
			return &logs{e, next}, err
		}, stability),
	)
}

// entry is what is alike for all signals.
type entry struct {
	component.StartFunc
	component.ShutdownFunc
	name    string
	signal  string
	log     *zap.Logger
	dropped metric.Int64Counter
	warned  atomic.Int64
}

func newEntry(set connector.Settings, cfg component.Config, signal string) (*entry, error) {
	e := &entry{name: cfg.(*Config).Name, signal: signal, log: set.Logger}
	if e.name == "" {
		e.name = byChance
	}
	var err error
	e.dropped, err = set.MeterProvider.Meter("github.com/odi-dev/odi/collector/entry").Int64Counter("odi_entry_dropped",
		metric.WithDescription("Spans, data points and log records that were not let in: they had been here, or came too far."))
	if err != nil {
		return nil, fmt.Errorf("making a counter: %w", err)
	}
	return e, nil
}

// Capabilities implements consumer.Consumer.
func (*entry) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

// count counts what is dropped, and says once in a while that it is.
func (e *entry) count(ctx context.Context, items int, why verdict) {
	e.dropped.Add(ctx, int64(items), metric.WithAttributes(attribute.String("data_type", e.signal), attribute.String("reason", string(why))))
	now, before := time.Now().UnixNano(), e.warned.Load()
	if now-before > int64(warnEvery) && e.warned.CompareAndSwap(before, now) {
		e.log.Warn("dropping data that went round in a circle: a destination leads back here",
			zap.String("data_type", e.signal), zap.String("reason", string(why)))
	}
}

type traces struct {
	*entry
	next consumer.Traces
}

// ConsumeTraces implements consumer.Traces.
func (t *traces) ConsumeTraces(ctx context.Context, data ptrace.Traces) error {
	data.ResourceSpans().RemoveIf(func(r ptrace.ResourceSpans) bool {
		why := t.pass(r.Resource().Attributes())
		if why == welcome {
			return false
		}
		items := 0
		for _, s := range r.ScopeSpans().All() {
			items += s.Spans().Len()
		}
		t.count(ctx, items, why)
		return true
	})
	if data.ResourceSpans().Len() == 0 {
		return nil
	}
	return t.next.ConsumeTraces(ctx, data)
}

type metrics struct {
	*entry
	next consumer.Metrics
}

// ConsumeMetrics implements consumer.Metrics.
func (m *metrics) ConsumeMetrics(ctx context.Context, data pmetric.Metrics) error {
	before, why := data.DataPointCount(), welcome
	data.ResourceMetrics().RemoveIf(func(r pmetric.ResourceMetrics) bool {
		verdict := m.pass(r.Resource().Attributes())
		if verdict != welcome {
			why = verdict
		}
		return verdict != welcome
	})
	if why != welcome {
		m.count(ctx, before-data.DataPointCount(), why)
	}
	if data.ResourceMetrics().Len() == 0 {
		return nil
	}
	return m.next.ConsumeMetrics(ctx, data)
}

type logs struct {
	*entry
	next consumer.Logs
}

// ConsumeLogs implements consumer.Logs.
func (l *logs) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	data.ResourceLogs().RemoveIf(func(r plog.ResourceLogs) bool {
		why := l.pass(r.Resource().Attributes())
		if why == welcome {
			return false
		}
		items := 0
		for _, s := range r.ScopeLogs().All() {
			items += s.LogRecords().Len()
		}
		l.count(ctx, items, why)
		return true
	})
	if data.ResourceLogs().Len() == 0 {
		return nil
	}
	return l.next.ConsumeLogs(ctx, data)
}
