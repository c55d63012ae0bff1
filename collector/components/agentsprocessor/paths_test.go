package agentsprocessor

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/collector/components/agentsextension"
)

func TestWhatIsLeftOut(t *testing.T) {
	const probe = "kube-probe/1.36"
	l := leftOut{ignored: []string{"/metrics", "/internal/*"}, probes: []string{"/healthz"}}
	for name, tc := range map[string]struct {
		attributes map[string]any
		kind       ptrace.SpanKind
		parent     bool
		want       agentsextension.Refusal
	}{
		"an exact path":                      {attributes: map[string]any{"url.path": "/metrics"}, want: ignored},
		"below an exact path":                {attributes: map[string]any{"url.path": "/metrics/x"}},
		"a prefix":                           {attributes: map[string]any{"url.path": "/internal/x/y"}, want: ignored},
		"the prefix itself without a slash":  {attributes: map[string]any{"url.path": "/internal"}},
		"a path of older conventions":        {attributes: map[string]any{"http.target": "/metrics?a=1"}, want: ignored},
		"a route alone":                      {attributes: map[string]any{"http.route": "/metrics"}, want: ignored},
		"a route that is not what was asked": {attributes: map[string]any{"http.route": "/metrics", "url.path": "/v2/metrics"}},
		"a path that is no text":             {attributes: map[string]any{"url.path": 7}},
		"the kubelet's probe":                {attributes: map[string]any{"url.path": "/healthz", "user_agent.original": probe}, want: healthCheck},
		"a probe of older conventions":       {attributes: map[string]any{"http.target": "/healthz?full", "http.user_agent": probe}, want: healthCheck},
		"somebody else asks the same":        {attributes: map[string]any{"url.path": "/healthz", "user_agent.original": "curl/8"}},
		"somebody who claims to be it":       {attributes: map[string]any{"url.path": "/cart", "user_agent.original": probe}},
		"no request":                         {attributes: nil},
		"a request in another's trace":       {attributes: map[string]any{"url.path": "/metrics"}, parent: true},
		"a request of the program's own":     {attributes: map[string]any{"url.path": "/metrics"}, kind: ptrace.SpanKindClient},
	} {
		t.Run(name, func(t *testing.T) {
			r := ptrace.NewResourceSpans()
			spans := r.ScopeSpans().AppendEmpty().Spans()
			kind := tc.kind
			if kind == ptrace.SpanKindUnspecified {
				kind = ptrace.SpanKindServer
			}
			request := put(t, spans, 1, kind, tc.attributes)
			if tc.parent {
				request.SetParentSpanID(pcommon.SpanID{9})
			}
			put(t, spans, 1, ptrace.SpanKindInternal, nil).SetParentSpanID(pcommon.SpanID{1})
			put(t, spans, 2, ptrace.SpanKindServer, map[string]any{"url.path": "/cart"})
			want, left := map[agentsextension.Refusal]int(nil), 3
			if tc.want != agentsextension.Accepted {
				want, left = map[agentsextension.Refusal]int{tc.want: 2}, 1
			}
			if got := l.from(r); !maps.Equal(got, want) {
				t.Errorf("left out are %v, want %v", got, want)
			}
			if spans.Len() != left {
				t.Errorf("%d spans are left, want %d", spans.Len(), left)
			}
		})
	}
}

// put adds a span with an ID of its own.
func put(t *testing.T, spans ptrace.SpanSlice, trace byte, kind ptrace.SpanKind, attributes map[string]any) ptrace.Span {
	t.Helper()
	s := spans.AppendEmpty()
	s.SetTraceID(pcommon.TraceID{trace})
	s.SetSpanID(pcommon.SpanID{byte(spans.Len())})
	s.SetKind(kind)
	if err := s.Attributes().FromRaw(attributes); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestProbesAreSeenButNotSent sends a pod's probe and a request to one of two
// containers: what the kubelet asks tells that the agent works, and goes nowhere.
func TestProbesAreSeenButNotSent(t *testing.T) {
	probed := identity("app")
	probed.Probes = []string{"/healthz"}
	e := node(t, agentsextension.Table{Pods: []agentsextension.Pod{{
		UID: "cart-uid", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.1")}, Signals: everything, Ignored: []string{"/metrics"},
		Containers: map[string]agentsextension.Identity{"app": probed, "side": identity("side")},
	}}})
	for name, tc := range map[string]struct {
		claimed string
		want    []string
	}{
		"the container that is asked":          {claimed: "app", want: []string{"/cart"}},
		"another, whose request it is":         {claimed: "side", want: []string{"/cart", "/healthz"}},
		"nobody knows which container's it is": {claimed: "", want: []string{"/cart"}},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &consumertest.TracesSink{}
			td := ptrace.NewTraces()
			r := td.ResourceSpans().AppendEmpty()
			r.Resource().Attributes().PutStr("k8s.container.name", tc.claimed)
			for i, path := range []string{"/healthz", "/cart", "/metrics"} {
				put(t, r.ScopeSpans().AppendEmpty().Spans(), byte(i+1), ptrace.SpanKindServer,
					map[string]any{"url.path": path, "user_agent.original": "kube-probe/1.36"})
			}
			if err := tracesOf(t, e, sink).ConsumeTraces(from(t, e, "10.1.0.1"), td); err != nil {
				t.Fatal(err)
			}
			got := make(map[string]bool)
			for _, scope := range sink.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().All() {
				for _, s := range scope.Spans().All() {
					got[pathOf(s.Attributes())] = true
				}
			}
			if have := slices.Sorted(maps.Keys(got)); !slices.Equal(have, tc.want) {
				t.Errorf("sent are %v, want %v", have, tc.want)
			}
		})
	}
	w := httptest.NewRecorder()
	e.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, agentsextension.Path, nil))
	if !strings.Contains(w.Body.String(), `{"cart-uid":{"":3,"app":3,"side":3}}`) {
		t.Errorf("the witness says %s", w.Body)
	}
}

// TestOnlyProbes sends nothing on, and no error that the agent would log.
func TestOnlyProbes(t *testing.T) {
	probed := identity("app")
	probed.Probes = []string{"/healthz"}
	e, sink := node(t, agentsextension.Table{Pods: []agentsextension.Pod{{
		UID: "cart-uid", Addresses: []netip.Addr{netip.MustParseAddr("10.1.0.1")}, Signals: everything,
		Containers: map[string]agentsextension.Identity{"app": probed},
	}}}), &consumertest.TracesSink{}
	td := ptrace.NewTraces()
	put(t, td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans(), 1, ptrace.SpanKindServer,
		map[string]any{"url.path": "/healthz", "user_agent.original": "kube-probe/1.36"})
	if err := tracesOf(t, e, sink).ConsumeTraces(from(t, e, "10.1.0.1"), td); err != nil || len(sink.AllTraces()) != 0 {
		t.Errorf("answered %v, sent %d", err, len(sink.AllTraces()))
	}
}
