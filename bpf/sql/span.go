package sql

import "github.com/odi-dev/odi/bpf/probe"

// Put names the span after a statement (SELECT orders), or after the system where
// nothing is known of it, and adds what is known.
func Put(span *probe.Span, s Statement, system string) {
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
