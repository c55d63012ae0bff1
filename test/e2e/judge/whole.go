package judge

import (
	"fmt"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/trace"
)

// SpansPerCheckout is how many spans one whole trace of a checkout has.
func SpansPerCheckout() int { return SpansOf(shop.Calls) }

// SpansOf is how many spans one whole trace of some calls has: a server span per
// call, and a client span per call that a service of the shop makes.
func SpansOf(calls []shop.Call) int {
	n := 0
	for _, call := range calls {
		n++
		if call.Client != "" {
			n++
		}
	}
	return n
}

// Whole lists what keeps a trace from being the one whole trace of the
// checkout with this marker. parent is the id of the client's own span, empty
// if the client sent no traceparent.
func Whole(t trace.Trace, marker, parent string) []string {
	return WholeOf(shop.Calls, t, marker, parent)
}

// WholeOf does so for other calls than those of a checkout. Agents may tell of more than requests: spans of
// what a service does inside are passed over.
func WholeOf(calls []shop.Call, t trace.Trace, marker, parent string) []string {
	t = withoutInternal(t)
	var wrong []string
	servers := make([]trace.Span, len(calls))
	for i, call := range calls {
		server, problem := only(t, call.Server, trace.Server, call, marker)
		if problem != "" {
			wrong = append(wrong, problem)
			continue
		}
		servers[i] = server
		wrong = append(wrong, misencrypted(server, call.TLS)...)
		if call.Client == "" {
			if server.ParentID != parent {
				wrong = append(wrong, fmt.Sprintf("%s has parent %q, want %q", describe(server), server.ParentID, parent))
			}
			continue
		}
		client, problem := only(t, call.Client, trace.Client, call, marker)
		if problem != "" {
			wrong = append(wrong, problem)
			continue
		}
		wrong = append(wrong, misencrypted(client, call.TLS)...)
		wrong = append(wrong, notChild(t, server, client)...)
		if above := servers[call.Parent]; above.ID != "" {
			wrong = append(wrong, notChild(t, client, above)...)
		}
	}
	if got, want := len(t.Spans), SpansOf(calls); got > want {
		wrong = append(wrong, fmt.Sprintf("the trace has %d spans, want %d", got, want))
	}
	return wrong
}

// withoutInternal puts what is below an internal span below that one's parent.
func withoutInternal(t trace.Trace) trace.Trace {
	kept := trace.Trace{ID: t.ID}
	for _, s := range t.Spans {
		if s.Kind == trace.Internal {
			continue
		}
		for range t.Spans { // A bound: what came from outside may go round in circles.
			above, ok := t.Find(s.ParentID)
			if !ok || above.Kind != trace.Internal {
				break
			}
			s.ParentID = above.ParentID
		}
		kept.Spans = append(kept.Spans, s)
	}
	return kept
}

func only(t trace.Trace, service string, kind trace.Kind, call shop.Call, marker string) (trace.Span, string) {
	var found []trace.Span
	for _, s := range t.Spans {
		if s.Service == service && s.Kind == kind && serves(s, call, marker) {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		return trace.Span{}, fmt.Sprintf("%d %s spans of %s for %s, want 1", len(found), kind, service, askedFor(call, marker))
	}
	return found[0], ""
}

func serves(s trace.Span, call shop.Call, marker string) bool {
	if call.Method != "" {
		return s.Attributes["rpc.method"] == call.Method
	}
	return s.Path() == call.Path+marker
}

func askedFor(call shop.Call, marker string) string {
	if call.Method != "" {
		return call.Method
	}
	return call.Path + marker
}

// misencrypted compares what a span says of TLS with what there was.
func misencrypted(s trace.Span, tls bool) []string {
	if s.Encrypted() == tls {
		return nil
	}
	return []string{fmt.Sprintf("%s says that it went over TLS: %t, want %t", describe(s), s.Encrypted(), tls)}
}

func notChild(t trace.Trace, child, parent trace.Span) []string {
	if child.ParentID == parent.ID {
		return nil
	}
	is := "none"
	if child.ParentID != "" {
		is = "a span that is not in the trace (" + child.ParentID + ")"
		if s, ok := t.Find(child.ParentID); ok {
			is = describe(s)
		}
	}
	return []string{fmt.Sprintf("the parent of %s is %s, want %s", describe(child), is, describe(parent))}
}

func describe(s trace.Span) string {
	about := s.Path()
	if about == "" {
		about = s.Name
	}
	return fmt.Sprintf("%s %s %s", s.Service, s.Kind, about)
}
