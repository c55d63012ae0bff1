package laneprocessor

import (
	"context"
	"errors"
	"slices"
	"testing"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
)

// exporter notes the namespaces that reach it and refuses everything.
type exporter struct{ got []string }

var errFull = errors.New("queue is full")

func (*exporter) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (e *exporter) note(resource pcommon.Resource) {
	name := ""
	if value, found := resource.Attributes().Get(namespaceAttribute); found {
		name = value.AsString()
	}
	e.got = append(e.got, name)
}

func (e *exporter) ConsumeTraces(_ context.Context, data ptrace.Traces) error {
	for _, r := range data.ResourceSpans().All() {
		e.note(r.Resource())
	}
	return errFull
}

func (e *exporter) ConsumeMetrics(_ context.Context, data pmetric.Metrics) error {
	for _, r := range data.ResourceMetrics().All() {
		e.note(r.Resource())
	}
	return errFull
}

func (e *exporter) ConsumeLogs(_ context.Context, data plog.Logs) error {
	for _, r := range data.ResourceLogs().All() {
		e.note(r.Resource())
	}
	return errFull
}

func TestALaneKeepsItsDataAndItsTrouble(t *testing.T) {
	tests := map[string]struct {
		namespace string
		want      []string
	}{
		"all data":               {"", []string{"shop", "bank", "", "7"}},
		"one namespace":          {"shop", []string{"shop"}},
		"a number is no name":    {"7", nil},
		"a namespace with none":  {"empty", nil},
		"what has no namespace":  {" ", nil},
		"the other of the two":   {"bank", []string{"bank"}},
		"names are not prefixes": {"sho", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			config := &Config{Namespace: tc.namespace}
			for signal, send := range signals(t, config) {
				e := &exporter{}
				if err := send(e); err != nil {
					t.Errorf("%s: the refusal got out: %v", signal, err)
				}
				if !slices.Equal(e.got, tc.want) {
					t.Errorf("%s: got %q, want %q", signal, e.got, tc.want)
				}
			}
		})
	}
}

// fill gives a resource its namespace; the third has none, the fourth a number.
func fill(append func() pcommon.Resource) {
	append().Attributes().PutStr(namespaceAttribute, "shop")
	append().Attributes().PutStr(namespaceAttribute, "bank")
	append().Attributes().PutStr("service.name", "x")
	append().Attributes().PutInt(namespaceAttribute, 7)
}

// signals send the same four resources as each signal through a lane.
func signals(t *testing.T, config component.Config) map[string]func(*exporter) error {
	t.Helper()
	factory, set := NewFactory(), processor.Settings{ID: component.MustNewID("odi_lane")}
	return map[string]func(*exporter) error{
		"traces": func(e *exporter) error {
			p, err := factory.CreateTraces(t.Context(), set, config, e)
			if err != nil {
				t.Fatal(err)
			}
			data := ptrace.NewTraces()
			fill(func() pcommon.Resource { return data.ResourceSpans().AppendEmpty().Resource() })
			return p.ConsumeTraces(t.Context(), data)
		},
		"metrics": func(e *exporter) error {
			p, err := factory.CreateMetrics(t.Context(), set, config, e)
			if err != nil {
				t.Fatal(err)
			}
			data := pmetric.NewMetrics()
			fill(func() pcommon.Resource { return data.ResourceMetrics().AppendEmpty().Resource() })
			return p.ConsumeMetrics(t.Context(), data)
		},
		"logs": func(e *exporter) error {
			p, err := factory.CreateLogs(t.Context(), set, config, e)
			if err != nil {
				t.Fatal(err)
			}
			data := plog.NewLogs()
			fill(func() pcommon.Resource { return data.ResourceLogs().AppendEmpty().Resource() })
			return p.ConsumeLogs(t.Context(), data)
		},
	}
}
