package ask

import (
	"crypto/rand"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// What marks the data, so that people find it and nobody takes it for their own.
const (
	serviceName = "odi-destination-test"
	// markAttribute is on the resource of all three.
	markAttribute        = "odi.destination.test"
	destinationAttribute = "odi.destination"
	spanName             = "odi destination test"
	metricName           = "odi.destination.test"
	logBody              = "odi destination test: somebody asked whether this backend takes data. Nothing is wrong."
)

// Mark is what the data of one question has alike.
type Mark struct {
	Destination string
	Trace       pcommon.TraceID
	span        pcommon.SpanID
	at          time.Time
}

func newMark(destination string) Mark {
	m := Mark{Destination: destination, at: time.Now()}
	// It never fails: crypto/rand ends the process instead.
	_, _ = rand.Read(m.Trace[:])
	_, _ = rand.Read(m.span[:])
	return m
}

func (m Mark) resource(r pcommon.Resource) {
	r.Attributes().PutStr("service.name", serviceName)
	r.Attributes().PutStr(destinationAttribute, m.Destination)
	r.Attributes().PutBool(markAttribute, true)
}

func (m Mark) time() pcommon.Timestamp { return pcommon.NewTimestampFromTime(m.at) }

func (m Mark) traces() ptrace.Traces {
	data := ptrace.NewTraces()
	rs := data.ResourceSpans().AppendEmpty()
	m.resource(rs.Resource())
	scope := rs.ScopeSpans().AppendEmpty()
	scope.Scope().SetName(serviceName)
	span := scope.Spans().AppendEmpty()
	span.SetName(spanName)
	span.SetKind(ptrace.SpanKindInternal)
	span.SetTraceID(m.Trace)
	span.SetSpanID(m.span)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(m.at.Add(-time.Millisecond)))
	span.SetEndTimestamp(m.time())
	return data
}

// metrics is a gauge: some backends refuse sums that are not deltas.
func (m Mark) metrics() pmetric.Metrics {
	data := pmetric.NewMetrics()
	rm := data.ResourceMetrics().AppendEmpty()
	m.resource(rm.Resource())
	scope := rm.ScopeMetrics().AppendEmpty()
	scope.Scope().SetName(serviceName)
	metric := scope.Metrics().AppendEmpty()
	metric.SetName(metricName)
	metric.SetUnit("1")
	metric.SetDescription("1 at the time of each odi destination test.")
	point := metric.SetEmptyGauge().DataPoints().AppendEmpty()
	point.SetIntValue(1)
	point.SetTimestamp(m.time())
	return data
}

func (m Mark) logs() plog.Logs {
	data := plog.NewLogs()
	rl := data.ResourceLogs().AppendEmpty()
	m.resource(rl.Resource())
	scope := rl.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(serviceName)
	record := scope.LogRecords().AppendEmpty()
	record.SetTimestamp(m.time())
	record.SetObservedTimestamp(m.time())
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.SetSeverityText("INFO")
	record.Body().SetStr(logBody)
	record.SetTraceID(m.Trace)
	record.SetSpanID(m.span)
	return data
}
