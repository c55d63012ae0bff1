package run

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Widest columns; a longer text moves the rest of its own row only.
const (
	maxTreeWidth = 40
	maxNameWidth = 60
)

// paint wraps text in a terminal colour, or leaves it alone.
type paint bool

func (p paint) bold(s string) string  { return p.with("1", s) }
func (p paint) faint(s string) string { return p.with("2", s) }
func (p paint) red(s string) string   { return p.with("31", s) }

func (p paint) with(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// renderTrace returns the text of one trace: a headline and one row per span.
func renderTrace(id pcommon.TraceID, lines []line, p paint) string {
	out := rows(plant(lines))
	var tree, name, status int
	for _, r := range out {
		tree = max(tree, min(utf8.RuneCountInString(r.cells[0]), maxTreeWidth))
		name = max(name, min(utf8.RuneCountInString(r.cells[1]), maxNameWidth))
		status = max(status, utf8.RuneCountInString(r.cells[2]))
	}
	var b strings.Builder
	b.WriteString(p.bold(headline(id, lines)) + "\n")
	for _, r := range out {
		code := pad(r.cells[2], status)
		if r.failed {
			code = p.red(code)
		}
		text := "  " + pad(r.cells[0], tree) + "  " + pad(r.cells[1], name) + "  " + code + "  " +
			fmt.Sprintf("%8s", r.cells[3]) + "  " + p.faint(r.cells[4])
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return b.String()
}

func headline(id pcommon.TraceID, lines []line) string {
	start, end := lines[0].start, lines[0].end
	for _, l := range lines {
		if l.start.Before(start) {
			start = l.start
		}
		if l.end.After(end) {
			end = l.end
		}
	}
	spans := "1 span"
	if len(lines) > 1 {
		spans = fmt.Sprintf("%d spans", len(lines))
	}
	return fmt.Sprintf("trace %s  %s  %s  %s", id, start.In(time.Local).Format("15:04:05.000"), spans, duration(end.Sub(start)))
}

// pad fills up to width columns; utf8 runes count as one.
func pad(s string, width int) string {
	if missing := width - utf8.RuneCountInString(s); missing > 0 {
		return s + strings.Repeat(" ", missing)
	}
	return s
}
