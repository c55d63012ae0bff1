package export

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Batch is a number of spans in the encoding of OTLP, an ExportTraceServiceRequest:
// most batches are only passed on. Nobody changes Body once the batch is made.
type Batch struct {
	Body  []byte
	Spans int
}

// Read decodes the batch for those who look into it.
func (b Batch) Read() (ptrace.Traces, error) {
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b.Body)
	if err != nil {
		return td, fmt.Errorf("reading a batch: %w", err)
	}
	return td, nil
}
