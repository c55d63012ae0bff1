package red

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// exemplars are requests since the latest collection whose spans are exported: the latest of each
// bucket, as SDKs have it for histograms (AlignedHistogramBucketExemplarReservoir in the
// specification of metrics).
type exemplars []exemplar

type exemplar struct {
	bucket int
	value  float64
	span   SpanContext
}

func (e *exemplars) put(bucket int, value float64, span SpanContext) {
	for i := range *e {
		if known := &(*e)[i]; known.bucket == bucket {
			known.value, known.span = value, span
			return
		}
	}
	*e = append(*e, exemplar{bucket, value, span})
}

// take hands them over to a point: each is told of once.
func (e *exemplars) take(to pmetric.ExemplarSlice) {
	to.EnsureCapacity(len(*e))
	for _, one := range *e {
		x := to.AppendEmpty()
		x.SetTimestamp(pcommon.NewTimestampFromTime(one.span.End))
		x.SetDoubleValue(one.value)
		x.SetTraceID(one.span.Trace)
		x.SetSpanID(one.span.Span)
	}
	*e = (*e)[:0]
}
