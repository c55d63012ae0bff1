package main

import (
	"fmt"
	"slices"

	"github.com/odi-dev/odi/hack/demo/trace"
	"github.com/odi-dev/odi/hack/demo/traffic"
)

// maxExamples bounds what is printed of one service.
const maxExamples = 20

// verdict counts requests. A request that was not answered may have one span or none: nobody knows
// how far it came.
type verdict struct {
	requests, unanswered int
	byEBPF, byAgent      int
	none, several        int
	// wrong is the number of requests with a server span that has another parent than the
	// client's, or whose trace has spans of another request.
	wrong int
	// examples are some requests that were not told as they should be.
	examples []string
}

func (v verdict) faults() int { return v.none + v.several + v.wrong }

func (v verdict) plus(o verdict) verdict {
	examples := append(v.examples, o.examples...)
	return verdict{
		v.requests + o.requests, v.unanswered + o.unanswered, v.byEBPF + o.byEBPF, v.byAgent + o.byAgent,
		v.none + o.none, v.several + o.several, v.wrong + o.wrong, examples[:min(len(examples), maxExamples)],
	}
}

func (v verdict) table(service string) string {
	text := fmt.Sprintf("%-10s %6d requests, %d not answered; spans: %d of eBPF, %d of the agent; none %d, several %d, wrong parent %d\n",
		service, v.requests, v.unanswered, v.byEBPF, v.byAgent, v.none, v.several, v.wrong)
	for _, example := range v.examples {
		text += "           for example " + example + "\n"
	}
	return text
}

// judge compares what clients sent to a service with the spans of its traces.
func judge(service string, results []traffic.Result, traces map[string][]trace.Span) verdict {
	var all verdict
	for _, r := range results {
		all = all.plus(judgeOne(service, r, traces[r.TraceID]))
	}
	return all
}

func judgeOne(service string, r traffic.Result, spans []trace.Span) verdict {
	v := verdict{requests: 1}
	served := servedBy(service, spans)
	if r.Failed() {
		v.unanswered = 1
	}
	switch {
	case len(served) == 0 && !r.Failed():
		v.none = 1
	case len(served) == 0:
	case inOnePod(served):
		v.several = 1
	case served[0].ParentID != r.SpanID || strangers(r.Marker, spans):
		v.wrong = 1
	case served[0].Agent() == "":
		v.byEBPF = 1
	default:
		v.byAgent = 1
	}
	if v.faults() > 0 {
		v.examples = []string{fmt.Sprintf("%s, answered at %s, trace %s, %d spans", r.Marker, r.End.Format("15:04:05.000"), r.TraceID, len(spans))}
	}
	return v
}

// inOnePod says whether a pod told a request twice. Clients ask again when a pod ends before it has
// answered: then each of two has one span.
func inOnePod(served []trace.Span) bool {
	seen := map[string]bool{}
	for _, s := range served {
		pod := s.Resource["k8s.pod.name"]
		if seen[pod] {
			return true
		}
		seen[pod] = true
	}
	return false
}

func servedBy(service string, spans []trace.Span) (served []trace.Span) {
	for _, s := range spans {
		if s.Service == service && s.Kind == trace.Server {
			served = append(served, s)
		}
	}
	return served
}

// strangers says whether there are spans of another request.
func strangers(marker string, spans []trace.Span) bool {
	return slices.ContainsFunc(spans, func(s trace.Span) bool { return s.Path() != "" && s.Marker() != marker })
}
