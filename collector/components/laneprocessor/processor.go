package laneprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
)

const (
	namespaceAttribute = "k8s.namespace.name"
	stability          = component.StabilityLevelBeta
)

// Config of one lane.
type Config struct {
	// Namespace, when set, is the only one whose data passes.
	Namespace string `mapstructure:"namespace"`
}

// NewFactory returns the factory of the odi_lane processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		component.MustNewType("odi_lane"),
		func() component.Config { return &Config{} },
		processor.WithTraces(func(_ context.Context, _ processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
			return &traces{lane: laneOf(cfg), next: next}, nil
		}, stability),
		processor.WithMetrics(func(_ context.Context, _ processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
			return &metrics{lane: laneOf(cfg), next: next}, nil
		}, stability),
		processor.WithLogs(func(_ context.Context, _ processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
			return &logs{lane: laneOf(cfg), next: next}, nil
		}, stability),
	)
}

type lane struct {
	component.StartFunc
	component.ShutdownFunc
	namespace string
}

func laneOf(cfg component.Config) lane { return lane{namespace: cfg.(*Config).Namespace} }

// Capabilities says that data is changed only where a namespace is chosen, so
// that the others need no copy.
func (l lane) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: l.namespace != ""}
}

func (l lane) shuts(resource pcommon.Resource) bool {
	if l.namespace == "" {
		return false
	}
	value, found := resource.Attributes().Get(namespaceAttribute)
	return !found || value.Type() != pcommon.ValueTypeStr || value.Str() != l.namespace
}

type traces struct {
	lane
	next consumer.Traces
}

// ConsumeTraces implements consumer.Traces.
func (t *traces) ConsumeTraces(ctx context.Context, data ptrace.Traces) error {
	if t.namespace != "" {
		data.ResourceSpans().RemoveIf(func(r ptrace.ResourceSpans) bool { return t.shuts(r.Resource()) })
	}
	if data.ResourceSpans().Len() > 0 {
		_ = t.next.ConsumeTraces(ctx, data) // logged and counted by the exporter
	}
	return nil
}

type metrics struct {
	lane
	next consumer.Metrics
}

// ConsumeMetrics implements consumer.Metrics.
func (m *metrics) ConsumeMetrics(ctx context.Context, data pmetric.Metrics) error {
	if m.namespace != "" {
		data.ResourceMetrics().RemoveIf(func(r pmetric.ResourceMetrics) bool { return m.shuts(r.Resource()) })
	}
	if data.ResourceMetrics().Len() > 0 {
		_ = m.next.ConsumeMetrics(ctx, data) // logged and counted by the exporter
	}
	return nil
}

type logs struct {
	lane
	next consumer.Logs
}

// ConsumeLogs implements consumer.Logs.
func (l *logs) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	if l.namespace != "" {
		data.ResourceLogs().RemoveIf(func(r plog.ResourceLogs) bool { return l.shuts(r.Resource()) })
	}
	if data.ResourceLogs().Len() > 0 {
		_ = l.next.ConsumeLogs(ctx, data) // logged and counted by the exporter
	}
	return nil
}
