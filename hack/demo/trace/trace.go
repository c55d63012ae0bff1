package trace

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Kind is the OpenTelemetry span kind in lower case: server, client, internal,
// producer, consumer or unspecified.
type Kind string

// The kinds that HTTP requests have, and that of what a service does inside.
const (
	Server   Kind = "server"
	Client   Kind = "client"
	Internal Kind = "internal"
)

// Span is one span with its attributes as text.
type Span struct {
	TraceID, ID, ParentID string
	// Service is the resource's service.name.
	Service string
	Name    string
	Kind    Kind
	// Failed says that the status is Error.
	Failed     bool
	Start, End time.Time
	Scope      string
	Attributes map[string]string
	Resource   map[string]string
}

// Trace is all spans of one trace id, by start time.
type Trace struct {
	ID    string
	Spans []Span
}

// Duration is how long the span lasted.
func (s Span) Duration() time.Duration { return s.End.Sub(s.Start) }

// Path is the path of the request: url.path, or that of url.full. It has no query.
func (s Span) Path() string {
	if p := s.Attributes["url.path"]; p != "" {
		return p
	}
	full := s.Attributes["url.full"]
	if _, rest, ok := strings.Cut(full, "://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			full = rest[i:]
		} else {
			full = "/"
		}
	}
	path, _, _ := strings.Cut(full, "?")
	return path
}

// Agent is the language of the agent that reported the span; empty when eBPF did.
func (s Span) Agent() string {
	if strings.HasPrefix(s.Scope, "odi/") {
		return ""
	}
	return s.Resource["telemetry.sdk.language"]
}

// Encrypted says that odi has seen the span go over TLS.
func (s Span) Encrypted() bool { return s.Attributes["tls.established"] == "true" }

// Marker is the last element of the path, where the shop carries the order.
func (s Span) Marker() string {
	path := s.Path()
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Find returns the span with an id.
func (t Trace) Find(id string) (Span, bool) {
	i := slices.IndexFunc(t.Spans, func(s Span) bool { return s.ID == id })
	if i < 0 {
		return Span{}, false
	}
	return t.Spans[i], true
}

// Roots returns the spans whose parent is not in the trace.
func (t Trace) Roots() []Span {
	ids := make(map[string]bool, len(t.Spans))
	for _, s := range t.Spans {
		ids[s.ID] = true
	}
	return t.where(func(s Span) bool { return s.ParentID == "" || !ids[s.ParentID] })
}

// Children returns the spans whose parent is the span with this id.
func (t Trace) Children(id string) []Span {
	return t.where(func(s Span) bool { return s.ParentID == id })
}

func (t Trace) where(holds func(Span) bool) []Span {
	var found []Span
	for _, s := range t.Spans {
		if holds(s) {
			found = append(found, s)
		}
	}
	return found
}

// From groups the spans of OTLP data by trace id. Traces are in the order of
// their first span.
func From(data ptrace.Traces) []Trace {
	byID := map[string]*Trace{}
	for _, resource := range data.ResourceSpans().All() {
		attributes := texts(resource.Resource().Attributes())
		for _, scope := range resource.ScopeSpans().All() {
			for _, s := range scope.Spans().All() {
				add(byID, span(s, scope.Scope().Name(), attributes))
			}
		}
	}
	traces := make([]Trace, 0, len(byID))
	for _, t := range byID {
		slices.SortStableFunc(t.Spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
		traces = append(traces, *t)
	}
	slices.SortFunc(traces, func(a, b Trace) int { return a.Spans[0].Start.Compare(b.Spans[0].Start) })
	return traces
}

func add(byID map[string]*Trace, s Span) {
	t, ok := byID[s.TraceID]
	if !ok {
		t = &Trace{ID: s.TraceID}
		byID[s.TraceID] = t
	}
	t.Spans = append(t.Spans, s)
}

func span(s ptrace.Span, scope string, resource map[string]string) Span {
	parent := ""
	if !s.ParentSpanID().IsEmpty() {
		parent = s.ParentSpanID().String()
	}
	return Span{
		TraceID:    s.TraceID().String(),
		ID:         s.SpanID().String(),
		ParentID:   parent,
		Service:    resource["service.name"],
		Name:       s.Name(),
		Kind:       Kind(strings.ToLower(s.Kind().String())),
		Failed:     s.Status().Code() == ptrace.StatusCodeError,
		Start:      s.StartTimestamp().AsTime(),
		End:        s.EndTimestamp().AsTime(),
		Scope:      scope,
		Attributes: texts(s.Attributes()),
		Resource:   resource,
	}
}

func texts(m pcommon.Map) map[string]string {
	out := make(map[string]string, m.Len())
	for k, v := range m.All() {
		out[k] = v.AsString()
	}
	return out
}
