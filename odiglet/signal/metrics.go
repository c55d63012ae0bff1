package signal

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// Metrics are the histograms of requests, and the sums of connections; the items of a batch are data points.
var Metrics = &Signal{
	Name:   "metrics",
	Method: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	// A few collections; they are cumulative, so that a newer one makes up for a lost one.
	QueueBytes: 4 << 20,
	Senders:    1,
	Refused:    refusedPoints,
	Split:      splitPoints,
	JSON:       jsonPoints,
}

// batchPoints of some 300 bytes each are well below what receivers take,
// resources included.
const batchPoints = 2000

// OfMetrics makes batches of metrics, which it uses up.
func OfMetrics(md pmetric.Metrics) []Batch {
	var all []Batch
	left := md.DataPointCount()
	for ; left > batchPoints; left -= batchPoints {
		all = append(all, encodePoints(takePoints(md, batchPoints)))
	}
	if left > 0 {
		all = append(all, encodePoints(md))
	}
	return all
}

func encodePoints(md pmetric.Metrics) Batch {
	b := Batch{Signal: Metrics, Items: md.DataPointCount()}
	if body, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md); err == nil {
		b.Body = body
	}
	return b
}

func jsonPoints(body []byte) ([]byte, error) {
	md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(body)
	if err != nil {
		return nil, fmt.Errorf("reading a batch: %w", err)
	}
	return (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
}

func refusedPoints(answer []byte) (int, string, error) {
	resp := pmetricotlp.NewExportResponse()
	if err := resp.UnmarshalProto(answer); err != nil {
		return 0, "", fmt.Errorf("reading the answer: %w", err)
	}
	return int(resp.PartialSuccess().RejectedDataPoints()), resp.PartialSuccess().ErrorMessage(), nil
}

// splitPoints splits a batch of metrics in the middle.
func splitPoints(b Batch) (Batch, Batch, error) {
	rest, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(b.Body)
	if err != nil {
		return Batch{}, Batch{}, err
	}
	taken := takePoints(rest, b.Items/2)
	m := &pmetric.ProtoMarshaler{}
	first, err := m.MarshalMetrics(taken)
	if err != nil {
		return Batch{}, Batch{}, err
	}
	second, err := m.MarshalMetrics(rest)
	return Batch{Signal: b.Signal, Body: first, Items: taken.DataPointCount()}, Batch{Signal: b.Signal, Body: second, Items: rest.DataPointCount()}, err
}

// takePoints moves so many points out of metrics. Only histograms and sums are divided: odi has no others.
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
		if moved == most || m.Type() != pmetric.MetricTypeHistogram && m.Type() != pmetric.MetricTypeSum {
			return false
		}
		in := to.AppendEmpty()
		in.SetName(m.Name())
		in.SetUnit(m.Unit())
		in.SetDescription(m.Description())
		if m.Type() == pmetric.MetricTypeSum {
			moved += moveSums(m.Sum(), in.SetEmptySum(), most-moved)
			return m.Sum().DataPoints().Len() == 0
		}
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

func moveSums(from, to pmetric.Sum, most int) (moved int) {
	to.SetAggregationTemporality(from.AggregationTemporality())
	to.SetIsMonotonic(from.IsMonotonic())
	from.DataPoints().RemoveIf(func(p pmetric.NumberDataPoint) bool {
		if moved == most {
			return false
		}
		moved++
		p.MoveTo(to.DataPoints().AppendEmpty())
		return true
	})
	return moved
}
