package entryconnector

import (
	"context"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
)

func TestHops(t *testing.T) {
	tests := map[string]struct {
		before  any
		verdict verdict
		after   string
	}{
		"from a workload":        {nil, welcome, "here"},
		"from another gateway":   {"there", welcome, "there,here"},
		"it was here":            {"here", returned, "here"},
		"it was here before":     {"a,here,b", returned, "a,here,b"},
		"a name within a name":   {"nowhere,hereafter", welcome, "nowhere,hereafter,here"},
		"from a long way":        {"1,2,3,4,5,6,7", welcome, "1,2,3,4,5,6,7,here"},
		"from too long a way":    {"1,2,3,4,5,6,7,8", tooFar, "1,2,3,4,5,6,7,8"},
		"what is no text":        {7, welcome, "here"},
		"an empty text":          {"", welcome, "here"},
		"more than anybody says": {strings.Repeat("x", longestHops+1), welcome, "here"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			attributes := pcommon.NewMap()
			switch before := tc.before.(type) {
			case string:
				attributes.PutStr(hopsAttribute, before)
			case int:
				attributes.PutInt(hopsAttribute, int64(before))
			}
			verdict := (&entry{name: "here"}).pass(attributes)
			after, _ := attributes.Get(hopsAttribute)
			if verdict != tc.verdict || after.Str() != tc.after {
				t.Errorf("%q with %q, want %q with %q", verdict, after.Str(), tc.verdict, tc.after)
			}
		})
	}
}

// TestWhatComesBackIsDroppedAlone sends what came out in again, with a new resource beside it.
func TestWhatComesBackIsDroppedAlone(t *testing.T) {
	set := connector.Settings{ID: component.MustNewID("odi_entry"), TelemetrySettings: component.TelemetrySettings{Logger: zap.NewNop(), MeterProvider: noop.NewMeterProvider()}}
	var out int
	count := func(n int) error { out = n; return nil }
	factory, config := NewFactory(), &Config{}
	tracesOut, err := consumer.NewTraces(func(_ context.Context, td ptrace.Traces) error { return count(td.ResourceSpans().Len()) })
	if err != nil {
		t.Fatal(err)
	}
	metricsOut, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error { return count(md.ResourceMetrics().Len()) })
	if err != nil {
		t.Fatal(err)
	}
	logsOut, err := consumer.NewLogs(func(_ context.Context, ld plog.Logs) error { return count(ld.ResourceLogs().Len()) })
	if err != nil {
		t.Fatal(err)
	}
	tc, err := factory.CreateTracesToTraces(t.Context(), set, config, tracesOut)
	if err != nil {
		t.Fatal(err)
	}
	mc, err := factory.CreateMetricsToMetrics(t.Context(), set, config, metricsOut)
	if err != nil {
		t.Fatal(err)
	}
	lc, err := factory.CreateLogsToLogs(t.Context(), set, config, logsOut)
	if err != nil {
		t.Fatal(err)
	}
	td, md, ld := ptrace.NewTraces(), pmetric.NewMetrics(), plog.NewLogs()
	for _, want := range []int{1, 1, 1} {
		td.ResourceSpans().AppendEmpty()
		md.ResourceMetrics().AppendEmpty()
		ld.ResourceLogs().AppendEmpty()
		for signal, err := range map[string]error{
			"traces": tc.ConsumeTraces(t.Context(), td), "metrics": mc.ConsumeMetrics(t.Context(), md), "logs": lc.ConsumeLogs(t.Context(), ld),
		} {
			if err != nil || out != want {
				t.Errorf("%s: %d resources came out, want %d: %v", signal, out, want, err)
			}
		}
	}
	out = -1
	if err := tc.ConsumeTraces(t.Context(), td); err != nil || out != -1 {
		t.Errorf("what is empty went on: %d, %v", out, err)
	}
}
