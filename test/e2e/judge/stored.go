package judge

import (
	"fmt"
	"slices"

	"github.com/odi-dev/odi/hack/demo/shop"
	"github.com/odi-dev/odi/hack/demo/trace"
)

// WholeOrder lists what keeps a trace from being the one whole trace of the order with this
// marker: its requests, and below the one that asks each statement once.
func WholeOrder(t trace.Trace, marker string) []string {
	requests, statements := apart(t)
	wrong := WholeOf(shop.OrderCalls, requests, marker, "")
	for _, want := range shop.OrderStatements {
		i := slices.IndexFunc(statements, func(s trace.Span) bool { return is(s, want) })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("no %s %s of %s", want.System, want.Operation, want.Client))
			continue
		}
		asking := shop.OrderCalls[want.Parent]
		parent, _ := t.Find(statements[i].ParentID)
		if parent.Kind != trace.Server || parent.Service != want.Client || !serves(parent, asking, marker) {
			wrong = append(wrong, fmt.Sprintf("the parent of %s of %s is %s, want that which asks", statements[i].Name, want.Client, describe(parent)))
		}
		wrong = append(wrong, misencrypted(statements[i], want.TLS)...)
		statements = slices.Delete(statements, i, i+1)
	}
	for _, s := range statements {
		wrong = append(wrong, fmt.Sprintf("%s of %s is one too many", s.Name, s.Service))
	}
	return wrong
}

// Stored counts what was asked of PostgreSQL, pings too, and returns what that says of it itself.
func Stored(traces []trace.Trace) (asked int, answered []trace.Span) {
	for _, t := range traces {
		for _, s := range t.Spans {
			switch {
			case s.Attributes["db.system.name"] != "postgresql":
			case s.Kind == trace.Client:
				asked++
			case s.Kind == trace.Server && s.Service == shop.Database:
				answered = append(answered, s)
			}
		}
	}
	return asked, answered
}

// greetings are what clients of Redis say first on a connection: any order may be the one that needs a new one.
var greetings = []string{"HELLO", "CLIENT"}

// ping says whether a statement is a pool's question if a connection that idled is still there: pgx
// sends a comment, so there is no operation to name.
func ping(s trace.Span) bool {
	return s.Attributes["db.system.name"] == "postgresql" && s.Attributes["db.operation.name"] == ""
}

// apart splits a trace into requests and statements, without greetings and pings.
func apart(t trace.Trace) (requests trace.Trace, statements []trace.Span) {
	requests.ID = t.ID
	for _, s := range t.Spans {
		switch {
		case s.Attributes["db.system.name"] == "":
			requests.Spans = append(requests.Spans, s)
		case !ping(s) && !slices.Contains(greetings, s.Attributes["db.operation.name"]):
			statements = append(statements, s)
		}
	}
	return requests, statements
}

func is(s trace.Span, want shop.Statement) bool {
	return s.Service == want.Client && s.Kind == trace.Client &&
		s.Attributes["db.system.name"] == want.System && s.Attributes["db.operation.name"] == want.Operation
}
