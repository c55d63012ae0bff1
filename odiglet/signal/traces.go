package signal

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// Traces are the spans; the items of a batch are spans.
var Traces = &Signal{
	Name:   "traces",
	Method: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	// About 20,000 spans: some seconds of a busy node, and small beside the memory
	// limit of the odiglet.
	QueueBytes: 8 << 20,
	Senders:    2, // one batch may be on its way while the next is prepared
	Refused:    refusedSpans,
	Split:      splitSpans,
	JSON:       jsonSpans,
}

// ReadTraces decodes a batch of spans for those who look into it.
func ReadTraces(b Batch) (ptrace.Traces, error) {
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b.Body)
	if err != nil {
		return td, fmt.Errorf("reading a batch: %w", err)
	}
	return td, nil
}

func jsonSpans(body []byte) ([]byte, error) {
	td, err := ReadTraces(Batch{Body: body})
	if err != nil {
		return nil, err
	}
	return (&ptrace.JSONMarshaler{}).MarshalTraces(td)
}

func refusedSpans(answer []byte) (int, string, error) {
	resp := ptraceotlp.NewExportResponse()
	if err := resp.UnmarshalProto(answer); err != nil {
		return 0, "", fmt.Errorf("reading the answer: %w", err)
	}
	return int(resp.PartialSuccess().RejectedSpans()), resp.PartialSuccess().ErrorMessage(), nil
}

// splitSpans splits a batch of spans in the middle.
func splitSpans(b Batch) (Batch, Batch, error) {
	rest, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b.Body)
	if err != nil {
		return Batch{}, Batch{}, err
	}
	taken, left := ptrace.NewTraces(), b.Items/2
	rest.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		if left == 0 {
			return false
		}
		to := taken.ResourceSpans().AppendEmpty()
		rs.Resource().CopyTo(to.Resource())
		to.SetSchemaUrl(rs.SchemaUrl())
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
			if left == 0 {
				return false
			}
			in := to.ScopeSpans().AppendEmpty()
			ss.Scope().CopyTo(in.Scope())
			in.SetSchemaUrl(ss.SchemaUrl())
			ss.Spans().RemoveIf(func(s ptrace.Span) bool {
				if left == 0 {
					return false
				}
				left--
				s.MoveTo(in.Spans().AppendEmpty())
				return true
			})
			return ss.Spans().Len() == 0
		})
		return rs.ScopeSpans().Len() == 0
	})
	m := &ptrace.ProtoMarshaler{}
	first, err := m.MarshalTraces(taken)
	if err != nil {
		return Batch{}, Batch{}, err
	}
	second, err := m.MarshalTraces(rest)
	return Batch{Signal: b.Signal, Body: first, Items: taken.SpanCount()}, Batch{Signal: b.Signal, Body: second, Items: rest.SpanCount()}, err
}
