package export

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Sink is where batches go. It owns metrics from the call on, and may keep spans,
// which it does not change. The calls never
// wait for a receiver: what does not fit is counted as dropped. They may come
// from several goroutines, and none may come after Close.
type Sink interface {
	Traces(Batch)
	Metrics(pmetric.Metrics)
	// Close sends what is queued until ctx ends, counts the rest as dropped,
	// and frees everything.
	Close(ctx context.Context) error
}

// Both gives every batch to two sinks.
func Both(first, second Sink) Sink {
	return both{first, second}
}

type both struct{ first, second Sink }

func (b both) Traces(spans Batch) {
	b.first.Traces(spans)
	b.second.Traces(spans)
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
