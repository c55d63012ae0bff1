package export

import (
	"context"
	"fmt"
	"io"
	"sync"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
)

// JSONLines is a Sink that writes one OTLP/JSON object per batch and line, as
// the Collector's file exporter does.
type JSONLines struct {
	// WithMetrics writes metrics too; a reader of spans need not expect them.
	WithMetrics bool

	mu     sync.Mutex
	out    io.Writer
	books  *books.Books
	failed error
}

// NewJSONLines returns a sink that writes to out.
func NewJSONLines(out io.Writer, spans *books.Books) *JSONLines {
	return &JSONLines{out: out, books: spans}
}

// Traces writes one line.
func (j *JSONLines) Traces(b Batch) {
	if err := j.writeSpans(b); err != nil {
		j.books.Drop(loss.Rejected, b.Spans)
		return
	}
	j.books.Sent(b.Spans)
}

func (j *JSONLines) writeSpans(b Batch) error {
	td, err := b.Read()
	if err != nil {
		return err
	}
	line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
	if err != nil {
		return fmt.Errorf("encoding OTLP/JSON: %w", err)
	}
	return j.write(line)
}

// Metrics writes one line when they are wanted.
func (j *JSONLines) Metrics(md pmetric.Metrics) {
	if !j.WithMetrics {
		return
	}
	line, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
	if err == nil {
		// Metrics are in no books; a writer that fails shows at Close.
		_ = j.write(line)
	}
}

func (j *JSONLines) write(line []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.failed
	}
	if _, err := j.out.Write(append(line, '\n')); err != nil {
		j.failed = fmt.Errorf("writing OTLP/JSON: %w", err)
	}
	return j.failed
}

// Close returns the first error of the writer.
func (j *JSONLines) Close(context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}
