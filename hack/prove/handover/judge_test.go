package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

func TestJudge(t *testing.T) {
	asked := traffic.Result{Marker: "h-000001", Status: 200, TraceID: "t", SpanID: "client"}
	failed := asked
	failed.Error = "connection reset by peer"
	span := func(service, parent, path, scope string, kind trace.Kind) trace.Span {
		return trace.Span{
			Service: service, ParentID: parent, Scope: scope, Kind: kind,
			Attributes: map[string]string{"url.path": path}, Resource: map[string]string{"telemetry.sdk.language": "python"},
		}
	}
	byEBPF := span("ratings", "client", "/ratings/h-000001", "odi/http1", trace.Server)
	byAgent := span("ratings", "client", "/ratings/h-000001", "opentelemetry.instrumentation.flask", trace.Server)
	orphan := span("ratings", "", "/ratings/h-000001", "odi/http1", trace.Server)
	elsewhere := span("ratings", "client", "/ratings/h-000001", "odi/http1", trace.Server)
	elsewhere.Resource = map[string]string{"k8s.pod.name": "ended"}
	asks := span("ratings", "x", "/reviews/h-000001", "odi/http1", trace.Client)
	stranger := span("ratings", "x", "/reviews/h-000002", "odi/http1", trace.Client)
	for name, tc := range map[string]struct {
		result traffic.Result
		spans  []trace.Span
		want   verdict
	}{
		"one of eBPF":              {asked, []trace.Span{byEBPF, asks}, verdict{requests: 1, byEBPF: 1}},
		"one of the agent":         {asked, []trace.Span{byAgent, asks}, verdict{requests: 1, byAgent: 1}},
		"none":                     {asked, nil, verdict{requests: 1, none: 1}},
		"a client's alone":         {asked, []trace.Span{asks}, verdict{requests: 1, none: 1}},
		"told by both":             {asked, []trace.Span{byEBPF, byAgent}, verdict{requests: 1, several: 1}},
		"asked again elsewhere":    {asked, []trace.Span{elsewhere, byAgent}, verdict{requests: 1, byEBPF: 1}},
		"without its parent":       {asked, []trace.Span{orphan}, verdict{requests: 1, wrong: 1}},
		"with another's span":      {asked, []trace.Span{byEBPF, stranger}, verdict{requests: 1, wrong: 1}},
		"not answered, not seen":   {failed, nil, verdict{requests: 1, unanswered: 1}},
		"not answered, but served": {failed, []trace.Span{byAgent}, verdict{requests: 1, unanswered: 1, byAgent: 1}},
		"not answered, told twice": {failed, []trace.Span{byEBPF, byAgent}, verdict{requests: 1, unanswered: 1, several: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge("ratings", []traffic.Result{tc.result}, map[string][]trace.Span{"t": tc.spans})
			if (len(got.examples) > 0) != (got.faults() > 0) {
				t.Errorf("examples %q of %d faults", got.examples, got.faults())
			}
			got.examples = nil
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(verdict{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
