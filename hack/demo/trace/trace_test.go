package trace_test

import (
	"strings"
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
	for i, s := range []struct {
		service string
		kind    ptrace.SpanKind
	}{{"nginx", ptrace.SpanKindServer}, {"nginx", ptrace.SpanKindClient}, {"frontend", ptrace.SpanKindServer}} {
		inset := time.Duration(i) * time.Millisecond // each a bit within the one before
		made := addSpan(data, s.service, byte(i))
		made.SetKind(s.kind)
		if i == 0 {
			made.Attributes().PutBool("tls.established", true)
		}
		made.SetStartTimestamp(pcommon.NewTimestampFromTime(begin.Add(inset)))
		made.SetEndTimestamp(pcommon.NewTimestampFromTime(begin.Add(10*time.Millisecond - inset)))
	}

	traces := trace.From(data)
	if len(traces) != 1 {
		t.Fatalf("got %d traces, want 1", len(traces))
	}
	want := `trace 07000000000000000000000000000000  3 spans, 2 services, 10ms
nginx server           GET /checkout/a-1  200      10ms  ━━━━━━━━━━━━━━━━━━━━━━━━  TLS
└─ nginx client        GET /checkout/a-1  200       8ms  ··━━━━━━━━━━━━━━━━━━━···
   └─ frontend server  GET /checkout/a-1  200       6ms  ····━━━━━━━━━━━━━━━·····
`
	if diff := cmp.Diff(want, trace.Text(traces[0])); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func TestMixedTreeSaysWhoReported(t *testing.T) {
	data := ptrace.NewTraces()
	for i, scope := range []string{"odi/http1", "io.opentelemetry.java-http-server"} {
		addSpan(data, "inventory", byte(i))
		last := data.ResourceSpans().At(i)
		last.Resource().Attributes().PutStr("telemetry.sdk.language", "java")
		last.ScopeSpans().At(0).Scope().SetName(scope)
	}
	lines := strings.Split(strings.TrimSpace(trace.Text(trace.From(data)[0])), "\n")
	for i, want := range []string{"eBPF", "java agent"} {
		if !strings.HasSuffix(lines[i+1], "  "+want) {
			t.Errorf("got %q, want a line that ends in %q", lines[i+1], want)
		}
	}
}

// addSpan adds the nth span of a chain.
func addSpan(data ptrace.Traces, service string, n byte) ptrace.Span {
	resource := data.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", service)
	s := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{7})
	s.SetSpanID(pcommon.SpanID{n + 1})
	s.SetParentSpanID(pcommon.SpanID{n}) // zero for the first: none
	s.SetName("GET")
	s.Attributes().PutStr("url.path", "/checkout/a-1")
	s.Attributes().PutInt("http.response.status_code", 200)
	return s
}
