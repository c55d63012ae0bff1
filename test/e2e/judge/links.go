package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/trace"
)

// Wrong is a span that has a parent which cannot be its parent.
type Wrong struct {
	Trace trace.Trace
	Why   string
}

// WrongParents looks at every parent in every trace. The markers tell: a
// server span belongs under the client span of the same call, and a client
// span under the server span of its own service that carries the same marker.
func WrongParents(traces []trace.Trace) []Wrong {
	var wrong []Wrong
	for _, t := range traces {
		for _, s := range t.Spans {
			parent, ok := t.Find(s.ParentID)
			if !ok || s.ParentID == "" {
				continue
			}
			if why := impossible(s, parent); why != "" {
				wrong = append(wrong, Wrong{Trace: t, Why: why})
			}
		}
		if why := mixed(t); why != "" {
			wrong = append(wrong, Wrong{Trace: t, Why: why})
		}
	}
	return wrong
}

// impossible says why parent cannot be the parent of s; empty when it can.
func impossible(s, parent trace.Span) string {
	call, ok := callOf(s)
	if !ok {
		return fmt.Sprintf("%s is no call of the shop but has the parent %s", describe(s), describe(parent))
	}
	service, kind, path := call.Client, trace.Client, call.Path
	if s.Kind == trace.Client {
		above := shop.Calls[call.Parent]
		service, kind, path = above.Server, trace.Server, above.Path
	}
	if parent.Service == service && parent.Kind == kind && parent.Path() == path+s.Marker() {
		return ""
	}
	return fmt.Sprintf("the parent of %s is %s, which can only be %s %s %s",
		describe(s), describe(parent), service, kind, path+s.Marker())
}

// callOf finds the call that a span is one side of, by its service and path.
func callOf(s trace.Span) (shop.Call, bool) {
	prefix := strings.TrimSuffix(s.Path(), s.Marker())
	i := slices.IndexFunc(shop.Calls, func(c shop.Call) bool {
		if c.Path != prefix {
			return false
		}
		return s.Kind == trace.Server && c.Server == s.Service || s.Kind == trace.Client && c.Client == s.Service
	})
	if i < 0 {
		return shop.Call{}, false
	}
	return shop.Calls[i], true
}

// mixed says that a trace holds more than one checkout.
func mixed(t trace.Trace) string {
	markers := map[string]bool{}
	for _, s := range t.Spans {
		if _, ok := callOf(s); ok {
			markers[s.Marker()] = true
		}
	}
	if len(markers) <= 1 {
		return ""
	}
	return fmt.Sprintf("the trace holds %d checkouts: %s", len(markers), strings.Join(slices.Sorted(maps.Keys(markers)), ", "))
}

// Share counts the client spans of one service.
type Share struct {
	Service string
	// Want is how many client spans the checkouts must have made.
	Want int
	// Spans is how many arrived, Linked how many of them have a parent.
	Spans, Linked int
}

// Ratio is the share of the client spans that have their parent.
func (s Share) Ratio() float64 {
	if s.Spans == 0 {
		return 0
	}
	return float64(s.Linked) / float64(s.Spans)
}

func (s Share) String() string {
	return fmt.Sprintf("%-12s %.4f linked (%d of %d client spans; %d expected)", s.Service, s.Ratio(), s.Linked, s.Spans, s.Want)
}

// LinkedShares counts, per service that calls another, the client spans that
// have a parent, and not a wrong one. A parent that did not arrive counts: it
// is lost, which is counted elsewhere, but the link was found. checkouts is
// how many requests were sent.
func LinkedShares(traces []trace.Trace, checkouts int) []Share {
	shares := expected(checkouts)
	for _, t := range traces {
		for _, s := range t.Spans {
			i := slices.IndexFunc(shares, func(share Share) bool { return share.Service == s.Service })
			if _, ok := callOf(s); !ok || s.Kind != trace.Client || i < 0 {
				continue
			}
			shares[i].Spans++
			if parent, arrived := t.Find(s.ParentID); s.ParentID != "" && (!arrived || impossible(s, parent) == "") {
				shares[i].Linked++
			}
		}
	}
	return shares
}

func expected(checkouts int) []Share {
	var shares []Share
	for _, call := range shop.Calls {
		if call.Client == "" {
			continue
		}
		i := slices.IndexFunc(shares, func(s Share) bool { return s.Service == call.Client })
		if i < 0 {
			i = len(shares)
			shares = append(shares, Share{Service: call.Client})
		}
		shares[i].Want += checkouts
	}
	return shares
}

// OfMarkers keeps the traces that have a span with one of the markers of a load.
func OfMarkers(traces []trace.Trace, loadName string) []trace.Trace {
	return slices.DeleteFunc(slices.Clone(traces), func(t trace.Trace) bool {
		return !slices.ContainsFunc(t.Spans, func(s trace.Span) bool {
			return strings.HasPrefix(s.Marker(), loadName+"-")
		})
	})
}
