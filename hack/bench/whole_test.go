package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

func TestReadWrk(t *testing.T) {
	const said = "Running 2s test @ http://127.0.0.1:1/\n  1 threads and 8 connections\n  57123 requests in 2.01s, 7.1MB read\nRequests/sec:  28419.40\nTransfer/sec: 3.5MB\n"
	a, err := readWrk([]byte(said))
	if err != nil || a.requests != 57123 || a.rate != 28419.4 {
		t.Errorf("read %+v, %v", a, err)
	}
	for _, bad := range []string{"", "0 requests in 2s\nRequests/sec: 0.0", said + "  Socket errors: connect 0, read 3, write 0, timeout 0", said + "  Non-2xx or 3xx responses: 4"} {
		if a, err := readWrk([]byte(bad)); err == nil {
			t.Errorf("%q is read as %+v", bad, a)
		}
	}
}

func TestSpansAreCounted(t *testing.T) {
	td := ptrace.NewTraces()
	for n := range 3 {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", "a")
		for range n {
			spans := rs.ScopeSpans().AppendEmpty().Spans()
			for range 5 {
				spans.AppendEmpty().SetName("GET")
			}
		}
	}
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]int64{"application/x-protobuf": int64(td.SpanCount()), "application/json": 0} {
		r, err := http.NewRequest(http.MethodPost, "http://x/v1/traces", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		if got := spansIn(r); got != want {
			t.Errorf("%s has %d spans, want %d", kind, got, want)
		}
	}
}

func TestAMissedTargetIsSaid(t *testing.T) {
	b := &bench{}
	b.goal(figure{Name: "a_ratio", Unit: "ratio", Limit: 0.95, Least: true, Samples: []float64{0.9, 0.94, 0.99}}, "a", true)
	b.goal(figure{Name: "b_us", Unit: "us", Limit: 2, Value: 1.5}, "b", true)
	b.goal(figure{Name: "c_us", Unit: "us", Limit: 2, Value: 9}, "c", false)
	b.goals = append(b.goals, goal{what: "d", unit: "not measured: it does not load"})
	var lines []string
	for _, g := range b.goals {
		lines = append(lines, g.line())
	}
	want := "| a | 0.94 | >= 0.95 | **missed** |\n| b | 1.5 us | <= 2 | met |\n| c | 9 us | | |\n| d | not measured: it does not load | | |"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("the table is\n%s\nwant\n%s", got, want)
	}
	if err := check(b.figures); err != nil {
		t.Errorf("a missed target fails the command: %v", err)
	}
}
