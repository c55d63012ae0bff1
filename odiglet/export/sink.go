package export

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Sink is where batches go. It owns a batch from the call on. The calls never
// wait for a receiver: what does not fit is counted as dropped. They may come
// from several goroutines, and none may come after Close.
type Sink interface {
	Traces(ptrace.Traces)
	Metrics(pmetric.Metrics)
	// Close sends what is queued until ctx ends, counts the rest as dropped,
	// and frees everything.
	Close(ctx context.Context) error
}

// Both gives every batch to two sinks: a copy to the first, the batch itself to
// the second.
func Both(first, second Sink) Sink {
	return both{first, second}
}

type both struct{ first, second Sink }

func (b both) Traces(td ptrace.Traces) {
	c := ptrace.NewTraces()
	td.CopyTo(c)
	b.first.Traces(c)
	b.second.Traces(td)
}

func (b both) Metrics(md pmetric.Metrics) {
	c := pmetric.NewMetrics()
	md.CopyTo(c)
	b.first.Metrics(c)
	b.second.Metrics(md)
}

func (b both) Close(ctx context.Context) error {
	return errors.Join(b.first.Close(ctx), b.second.Close(ctx))
}
