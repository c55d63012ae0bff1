package export

import (
	"errors"
	"strings"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// smallestSplit ends the splitting of a batch that is refused for its size: who
// does not take this much does not mean the size.
const smallestSplit = 64 << 10

// tooLarge says that a receiver refused a message for its size. gRPC has no code
// for that alone; each of its implementations has the word "larger", "exceeds" or
// "too large" in its sentence.
func tooLarge(err error) bool {
	var r *refusal
	if !errors.As(err, &r) || r.again {
		return false
	}
	if r.tooLarge {
		return true
	}
	s := status.Convert(r.err)
	if s.Code() != codes.ResourceExhausted {
		return false
	}
	for _, word := range []string{"larger", "exceeds", "too large"} {
		if strings.Contains(s.Message(), word) {
			return true
		}
	}
	return false
}

// halve makes two batches of one, each with about half of the items; false for
// what cannot be made smaller.
func (p *pipe) halve(b payload) (first, second payload, ok bool) {
	if b.items < 2 || len(b.body) < smallestSplit {
		return payload{}, payload{}, false
	}
	first, second, err := p.split(b)
	if err != nil || first.items == 0 || second.items == 0 || first.items+second.items != b.items {
		return payload{}, payload{}, false
	}
	return first, second, true
}

// splitSpans splits a batch of spans in the middle.
func splitSpans(b payload) (payload, payload, error) {
	rest, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(b.body)
	if err != nil {
		return payload{}, payload{}, err
	}
	taken, left := ptrace.NewTraces(), b.items/2
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
		return payload{}, payload{}, err
	}
	second, err := m.MarshalTraces(rest)
	return payload{first, taken.SpanCount()}, payload{second, rest.SpanCount()}, err
}

// splitPoints splits a batch of metrics in the middle.
func splitPoints(b payload) (payload, payload, error) {
	rest, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(b.body)
	if err != nil {
		return payload{}, payload{}, err
	}
	taken := takePoints(rest, b.items/2)
	m := &pmetric.ProtoMarshaler{}
	first, err := m.MarshalMetrics(taken)
	if err != nil {
		return payload{}, payload{}, err
	}
	second, err := m.MarshalMetrics(rest)
	return payload{first, taken.DataPointCount()}, payload{second, rest.DataPointCount()}, err
}

// takePoints moves so many points out of metrics. Only histograms are divided: odi has no others.
func takePoints(from pmetric.Metrics, left int) pmetric.Metrics {
	taken := pmetric.NewMetrics()
	from.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		if left == 0 {
			return false
		}
		to := taken.ResourceMetrics().AppendEmpty()
		rm.Resource().CopyTo(to.Resource())
		to.SetSchemaUrl(rm.SchemaUrl())
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			if left == 0 {
				return false
			}
			in := to.ScopeMetrics().AppendEmpty()
			sm.Scope().CopyTo(in.Scope())
			in.SetSchemaUrl(sm.SchemaUrl())
			left -= moveMetrics(sm.Metrics(), in.Metrics(), left)
			return sm.Metrics().Len() == 0
		})
		return rm.ScopeMetrics().Len() == 0
	})
	return taken
}

// moveMetrics moves at most so many points and returns how many these were.
func moveMetrics(from, to pmetric.MetricSlice, most int) int {
	moved := 0
	from.RemoveIf(func(m pmetric.Metric) bool {
		if moved == most || m.Type() != pmetric.MetricTypeHistogram {
			return false
		}
		in := to.AppendEmpty()
		in.SetName(m.Name())
		in.SetUnit(m.Unit())
		in.SetDescription(m.Description())
		h := in.SetEmptyHistogram()
		h.SetAggregationTemporality(m.Histogram().AggregationTemporality())
		m.Histogram().DataPoints().RemoveIf(func(p pmetric.HistogramDataPoint) bool {
			if moved == most {
				return false
			}
			moved++
			p.MoveTo(h.DataPoints().AppendEmpty())
			return true
		})
		return m.Histogram().DataPoints().Len() == 0
	})
	return moved
}
