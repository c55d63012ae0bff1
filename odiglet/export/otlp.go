package export

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/odi-dev/odi/odiglet/books"
)

const (
	// traceQueueBytes holds about 20,000 spans: some seconds of a busy node, and
	// small beside the memory limit of the odiglet.
	traceQueueBytes = 8 << 20
	// metricQueueBytes holds a few collections; they are cumulative, so that a
	// newer one makes up for a lost one.
	metricQueueBytes = 4 << 20
	// metricBatchPoints of some 300 bytes each are well below what receivers take,
	// resources included.
	metricBatchPoints = 2000
	// traceSenders lets one batch be on its way while the next is prepared.
	traceSenders = 2
)

// Options are what an OTLP sink needs.
type Options struct {
	Traces, Metrics Settings
	// Spans and Points are the books of the two signals.
	Spans, Points *books.Books
	Log           *slog.Logger
	// Backoff is DefaultBackoff unless set.
	Backoff Backoff
}

// DefaultBackoff starts well below a receiver's restart and ends within the
// minutes in which old spans still help somebody.
func DefaultBackoff() Backoff {
	return Backoff{First: 500 * time.Millisecond, Longest: 15 * time.Second, Spent: 5 * time.Minute}
}

// OTLP is a Sink that sends to an OTLP receiver. Nothing connects before the
// first batch; a receiver that is not there yet is a reason to try again.
type OTLP struct {
	traces, metrics *pipe
}

// NewOTLP returns a sink with its senders running, until Close.
func NewOTLP(o Options) (*OTLP, error) {
	if o.Backoff == (Backoff{}) {
		o.Backoff = DefaultBackoff()
	}
	traces, err := newTransport(Traces, o.Traces, o.Backoff)
	if err != nil {
		return nil, err
	}
	metrics, err := newTransport(Metrics, o.Metrics, o.Backoff)
	if err != nil {
		return nil, errors.Join(err, traces.close())
	}
	return &OTLP{
		traces: startPipe(pipe{
			signal: Traces, transport: traces, timeout: o.Traces.Timeout, backoff: o.Backoff,
			books: o.Spans, limit: traceQueueBytes, log: o.Log, rejected: rejectedSpans, split: splitSpans,
		}, traceSenders),
		metrics: startPipe(pipe{
			signal: Metrics, transport: metrics, timeout: o.Metrics.Timeout, backoff: o.Backoff,
			books: o.Points, limit: metricQueueBytes, log: o.Log, rejected: rejectedPoints, split: splitPoints,
		}, 1),
	}, nil
}

// Traces queues a batch.
func (o *OTLP) Traces(b Batch) {
	o.traces.enqueue(payload{b.Body, b.Spans}, nil)
}

// Metrics queues batches of them.
func (o *OTLP) Metrics(md pmetric.Metrics) {
	left := md.DataPointCount()
	o.metrics.books.Seen(left)
	for left > metricBatchPoints {
		o.queueMetrics(takePoints(md, metricBatchPoints), metricBatchPoints)
		left -= metricBatchPoints
	}
	o.queueMetrics(md, left)
}

func (o *OTLP) queueMetrics(md pmetric.Metrics, points int) {
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	o.metrics.enqueue(payload{body, points}, err)
}

// Close sends what is queued until ctx ends.
func (o *OTLP) Close(ctx context.Context) error {
	// Metrics first: they are one small batch, the final one.
	return errors.Join(o.metrics.close(ctx), o.traces.close(ctx))
}

// LastError is what the receiver of traces, else of metrics, said last; nil
// after the latest batch was taken.
func (o *OTLP) LastError() error {
	if err := o.traces.lastError(); err != nil {
		return err
	}
	return o.metrics.lastError()
}

func rejectedSpans(answer []byte) (int, string, error) {
	resp := ptraceotlp.NewExportResponse()
	if err := resp.UnmarshalProto(answer); err != nil {
		return 0, "", fmt.Errorf("reading the answer: %w", err)
	}
	return int(resp.PartialSuccess().RejectedSpans()), resp.PartialSuccess().ErrorMessage(), nil
}

func rejectedPoints(answer []byte) (int, string, error) {
	resp := pmetricotlp.NewExportResponse()
	if err := resp.UnmarshalProto(answer); err != nil {
		return 0, "", fmt.Errorf("reading the answer: %w", err)
	}
	return int(resp.PartialSuccess().RejectedDataPoints()), resp.PartialSuccess().ErrorMessage(), nil
}
