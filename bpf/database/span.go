package database

import "github.com/odi-dev/odi/bpf/probe"

// asked is where the durations of clients are recorded; the conventions have no
// instrument for servers.
var asked = &probe.Instrument{Name: "db.client.operation.duration", Description: "Duration of database client operations."}

// PutEnds says who was asked, and by whom, and has the durations of clients recorded.
func PutEnds(span *probe.Span, x *probe.Exchange) {
	if x.Kind == probe.Client {
		span.Instrument = asked
	}
	span.PutEnds(x)
}

// PutError says how it ended, if not well: code is that of the error that was answered,
// empty if none was.
func PutError(span *probe.Span, x *probe.Exchange, code string) {
	reason := x.Error.String()
	switch {
	case reason != "":
	case code != "":
		span.LabelText("db.response.status_code", code)
		reason = code
	case x.Answered.IsZero():
		reason = "no_response"
	default:
		return
	}
	span.LabelText("error.type", reason)
	span.Failed = true
}

// PutStatement names the span after a statement (SELECT orders), or after the system where
// nothing is known of it, and adds what is known.
func PutStatement(span *probe.Span, s Statement, system string) {
	span.Name = Join(s.Operation, s.Table)
	if span.Name == "" {
		span.Name = system
	}
	if s.Operation != "" {
		span.LabelText("db.operation.name", s.Operation)
	}
	if s.Table != "" {
		span.LabelText("db.collection.name", s.Table)
	}
	if s.Text != "" {
		span.PutText("db.query.text", s.Text)
	}
}

// Join puts a blank between two words, if there are two.
func Join(first, second string) string {
	if first == "" || second == "" {
		return first + second
	}
	return first + " " + second
}
