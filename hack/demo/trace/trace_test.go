package trace_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/hack/demo/trace"
)

func TestPath(t *testing.T) {
	tests := map[string]struct {
		attributes map[string]string
		want       string
		wantMarker string
	}{
		"a server span has url.path": {
			attributes: map[string]string{"url.path": "/checkout/a-1"},
			want:       "/checkout/a-1", wantMarker: "a-1",
		},
		"a client span has url.full": {
			attributes: map[string]string{"url.full": "http://pricing:8080/price/catalogue/a-1?x=REDACTED"},
			want:       "/price/catalogue/a-1", wantMarker: "a-1",
		},
		"url.full without a path": {
			attributes: map[string]string{"url.full": "http://pricing:8080"},
			want:       "/", wantMarker: "",
		},
		"no url at all": {want: "", wantMarker: ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s := trace.Span{Attributes: tc.attributes}
			if got := s.Path(); got != tc.want {
				t.Errorf("path: got %q, want %q", got, tc.want)
			}
			if got := s.Marker(); got != tc.wantMarker {
				t.Errorf("marker: got %q, want %q", got, tc.wantMarker)
			}
		})
	}
}

func TestFromGroupsByTraceAndPrintsItsTree(t *testing.T) {
	data := ptrace.NewTraces()
	begin := time.Unix(1_700_000_000, 0)
	addSpan(data, "nginx", 1, 0, ptrace.SpanKindServer, begin, 10*time.Millisecond)
	addSpan(data, "nginx", 2, 1, ptrace.SpanKindClient, begin.Add(time.Millisecond), 8*time.Millisecond)
	addSpan(data, "frontend", 3, 2, ptrace.SpanKindServer, begin.Add(2*time.Millisecond), 6*time.Millisecond)

	traces := trace.From(data)
	if len(traces) != 1 {
		t.Fatalf("got %d traces, want 1", len(traces))
	}
	want := `trace 07000000000000000000000000000000  3 spans, 2 services, 10ms
nginx server           GET /checkout/a-1  200      10ms  ━━━━━━━━━━━━━━━━━━━━━━━━
└─ nginx client        GET /checkout/a-1  200       8ms  ··━━━━━━━━━━━━━━━━━━━···
   └─ frontend server  GET /checkout/a-1  200       6ms  ····━━━━━━━━━━━━━━━·····
`
	if diff := cmp.Diff(want, trace.Text(traces[0])); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func addSpan(data ptrace.Traces, service string, id, parent byte, kind ptrace.SpanKind, start time.Time, lasted time.Duration) {
	resource := data.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	s := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{7})
	s.SetSpanID(pcommon.SpanID{id})
	if parent != 0 {
		s.SetParentSpanID(pcommon.SpanID{parent})
	}
	s.SetName("GET")
	s.SetKind(kind)
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(lasted)))
	s.Attributes().PutStr("url.path", "/checkout/a-1")
	s.Attributes().PutInt("http.response.status_code", 200)
}
