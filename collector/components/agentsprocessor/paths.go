package agentsprocessor

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/collector/components/agentsextension"
)

// The same words as those of the odiglet's counts, which is of another module.
const (
	healthCheck agentsextension.Refusal = "health_check"
	ignored     agentsextension.Refusal = "ignored_path"
)

// kubeletAgent starts the user agent of every HTTP probe of a kubelet.
const kubeletAgent = "kube-probe/"

// Attributes of requests, as of today and as of before the conventions were stable.
var (
	pathKeys  = []string{"url.path", "http.target", "http.route"}
	agentKeys = []string{"user_agent.original", "http.user_agent"}
)

// leftOut is what a container's spans leave out, as those of eBPF do.
type leftOut struct {
	ignored, probes []string
}

// from takes out of a resource the requests that begin a trace and are left out, and
// what the agent sent of them beside: nothing else would hang on them. A request that
// somebody else's trace has come by stays, since the trace would fall apart.
func (l leftOut) from(r ptrace.ResourceSpans) map[agentsextension.Refusal]int {
	traces := l.tracesOf(r)
	if len(traces) == 0 {
		return nil
	}
	counts := make(map[agentsextension.Refusal]int)
	r.ScopeSpans().RemoveIf(func(scope ptrace.ScopeSpans) bool {
		scope.Spans().RemoveIf(func(s ptrace.Span) bool {
			why, out := traces[s.TraceID()]
			if out {
				counts[why]++
			}
			return out
		})
		return scope.Spans().Len() == 0
	})
	return counts
}

// tracesOf are the traces that begin with a request that is left out, and why it is.
func (l leftOut) tracesOf(r ptrace.ResourceSpans) map[pcommon.TraceID]agentsextension.Refusal {
	if len(l.ignored)+len(l.probes) == 0 {
		return nil
	}
	var traces map[pcommon.TraceID]agentsextension.Refusal
	for _, scope := range r.ScopeSpans().All() {
		for _, s := range scope.Spans().All() {
			if s.Kind() != ptrace.SpanKindServer || !s.ParentSpanID().IsEmpty() {
				continue
			}
			why := l.why(pathOf(s.Attributes()), first(s.Attributes(), agentKeys))
			if why == agentsextension.Accepted {
				continue
			}
			if traces == nil {
				traces = make(map[pcommon.TraceID]agentsextension.Refusal)
			}
			traces[s.TraceID()] = why
		}
	}
	return traces
}

// why says why a request is left out, if it is. A probe is one by its path and its
// agent: the path alone would leave out the requests of others to it, and the agent
// alone could be claimed by anybody.
func (l leftOut) why(path, userAgent string) agentsextension.Refusal {
	if strings.HasPrefix(userAgent, kubeletAgent) && slices.Contains(l.probes, path) {
		return healthCheck
	}
	for _, pattern := range l.ignored {
		prefix, open := strings.CutSuffix(pattern, "*")
		if path == pattern || open && strings.HasPrefix(path, prefix) {
			return ignored
		}
	}
	return agentsextension.Accepted
}

// pathOf is the path that was asked for, without its query.
func pathOf(attributes pcommon.Map) string {
	path, _, _ := strings.Cut(first(attributes, pathKeys), "?")
	return path
}

// first is the value of the first key that has one.
func first(attributes pcommon.Map, keys []string) string {
	for _, key := range keys {
		if value := claim(attributes, key); value != "" {
			return value
		}
	}
	return ""
}
