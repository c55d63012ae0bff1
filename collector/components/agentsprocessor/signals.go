package agentsprocessor

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type traces struct {
	*desk
	next consumer.Traces
}

// ConsumeTraces implements consumer.Traces. It also counts server spans, wanted or not:
// they tell that the agent sees its process's requests, the kubelet's too.
func (t *traces) ConsumeTraces(ctx context.Context, data ptrace.Traces) error {
	b, err := t.begin(ctx)
	if err != nil {
		return err
	}
	data.ResourceSpans().RemoveIf(func(r ptrace.ResourceSpans) bool {
		items, servers := countSpans(r)
		remove, of := b.one(r.Resource().Attributes(), items)
		t.knows.Reported(of.uid, of.container, servers)
		if remove {
			return true
		}
		for why, n := range of.leftOut.from(r) {
			b.count(n, why)
		}
		return r.ScopeSpans().Len() == 0
	})
	if data.ResourceSpans().Len() == 0 {
		return b.end()
	}
	return t.next.ConsumeTraces(ctx, data)
}

func countSpans(r ptrace.ResourceSpans) (all, servers int) {
	for _, scope := range r.ScopeSpans().All() {
		all += scope.Spans().Len()
		for _, s := range scope.Spans().All() {
			if s.Kind() == ptrace.SpanKindServer {
				servers++
			}
		}
	}
	return all, servers
}

type metrics struct {
	*desk
	next consumer.Metrics
}

// ConsumeMetrics implements consumer.Metrics.
func (m *metrics) ConsumeMetrics(ctx context.Context, data pmetric.Metrics) error {
	b, err := m.begin(ctx)
	if err != nil {
		return err
	}
	data.ResourceMetrics().RemoveIf(func(r pmetric.ResourceMetrics) bool {
		items := 0
		for _, scope := range r.ScopeMetrics().All() {
			items += scope.Metrics().Len()
		}
		remove, _ := b.one(r.Resource().Attributes(), items)
		return remove
	})
	if data.ResourceMetrics().Len() == 0 {
		return b.end()
	}
	return m.next.ConsumeMetrics(ctx, data)
}

type logs struct {
	*desk
	next consumer.Logs
}

// ConsumeLogs implements consumer.Logs.
func (l *logs) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	b, err := l.begin(ctx)
	if err != nil {
		return err
	}
	data.ResourceLogs().RemoveIf(func(r plog.ResourceLogs) bool {
		items := 0
		for _, scope := range r.ScopeLogs().All() {
			items += scope.LogRecords().Len()
		}
		remove, _ := b.one(r.Resource().Attributes(), items)
		return remove
	})
	if data.ResourceLogs().Len() == 0 {
		return b.end()
	}
	return l.next.ConsumeLogs(ctx, data)
}
