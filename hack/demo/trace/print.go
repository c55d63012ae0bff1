package trace

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Style says how a tree is printed.
type Style struct {
	// Colour adds terminal colours. Set it only for a terminal.
	Colour bool
}

const (
	dim    = "\x1b[2m"
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	cyan   = "\x1b[36m"
	normal = "\x1b[0m"
)

// barWidth is the width of the timeline: wide enough to see what overlaps,
// narrow enough for a terminal of 100 columns.
const barWidth = 24

// line is one printed span before the columns are aligned.
type line struct {
	span   Span
	branch string // the tree's lines before the service
	label  string // what the request was
}

// Print writes the tree of a trace, one span a line: service, request, status,
// duration, its place in the trace's time, what went over TLS, and in a mixed trace who reported it.
func Print(w io.Writer, t Trace, style Style) error {
	var lines []line
	roots := t.Roots()
	for _, root := range roots {
		lines = appendTree(lines, t, root, "", "")
	}
	services := 0
	seen := map[string]bool{}
	for _, s := range t.Spans {
		if !seen[s.Service] {
			seen[s.Service] = true
			services++
		}
	}
	begin, end := t.bounds()
	p := printer{style: style, begin: begin, total: end.Sub(begin)}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.paint(bold, fmt.Sprintf("trace %s", t.ID))+
		p.paint(dim, fmt.Sprintf("  %d spans, %d services, %s", len(t.Spans), services, short(p.total))))
	p.measure(lines)
	for _, l := range lines {
		p.line(&b, l)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Text is the tree without colour, for the text of a failed check.
func Text(t Trace) string {
	var b strings.Builder
	_ = Print(&b, t, Style{}) // a strings.Builder does not fail
	return b.String()
}

func appendTree(lines []line, t Trace, s Span, branch, below string) []line {
	lines = append(lines, line{span: s, branch: branch, label: label(s)})
	children := t.Children(s.ID)
	for i, child := range children {
		if i == len(children)-1 {
			lines = appendTree(lines, t, child, below+"└─ ", below+"   ")
		} else {
			lines = appendTree(lines, t, child, below+"├─ ", below+"│  ")
		}
	}
	return lines
}

// label is the span's name, with the path where the name does not say it.
func label(s Span) string {
	text := s.Name
	if path := s.Path(); path != "" && !strings.Contains(text, "/") {
		text += " " + path
	}
	if text == "" {
		return "(no name)"
	}
	return text
}

type printer struct {
	style             Style
	begin             time.Time
	total             time.Duration
	whoWide, whatWide int
	// mixed says that language agents reported some of the spans.
	mixed bool
}

func (p *printer) measure(lines []line) {
	for _, l := range lines {
		p.whoWide = max(p.whoWide, utf8.RuneCountInString(l.branch+l.span.Service)+1+len(l.span.Kind))
		p.whatWide = max(p.whatWide, utf8.RuneCountInString(l.label))
		p.mixed = p.mixed || l.span.Agent() != ""
	}
}

func (p *printer) line(b *strings.Builder, l line) {
	who := p.paint(dim, l.branch) + p.paint(cyan, l.span.Service) + " " + p.paint(dim, string(l.span.Kind))
	pad := p.whoWide - utf8.RuneCountInString(l.branch+l.span.Service) - 1 - len(l.span.Kind)
	fmt.Fprintf(b, "%s%s  %-*s  %s  %8s  %s%s%s\n",
		who, strings.Repeat(" ", pad), p.whatWide, l.label, p.status(l.span), short(l.span.Duration()), p.bar(l.span), p.reporter(l.span), p.hop(l.span))
}

// hop says which spans went over TLS.
func (p *printer) hop(s Span) string {
	if !s.Encrypted() {
		return ""
	}
	return "  " + p.paint(bold, "TLS")
}

// reporter says who has seen the span, in traces that not eBPF alone has seen.
func (p *printer) reporter(s Span) string {
	if !p.mixed {
		return ""
	}
	if agent := s.Agent(); agent != "" {
		return "  " + p.paint(bold, agent+" agent")
	}
	return "  eBPF"
}

func (p *printer) status(s Span) string {
	code := s.Attributes["http.response.status_code"]
	if code == "" {
		code = s.Attributes["error.type"]
	}
	if code == "" {
		code = "-"
	}
	text := fmt.Sprintf("%3s", code)
	if s.Failed {
		return p.paint(red, text)
	}
	return p.paint(green, text)
}

// bar draws when the span ran within the trace; even the shortest span has a mark.
func (p *printer) bar(s Span) string {
	if p.total <= 0 {
		return ""
	}
	at := func(t time.Time) int {
		return int(int64(barWidth) * int64(t.Sub(p.begin)) / int64(p.total))
	}
	from := min(at(s.Start), barWidth-1)
	to := max(at(s.End), from+1)
	return p.paint(dim, strings.Repeat("·", from)) + strings.Repeat("━", to-from) +
		p.paint(dim, strings.Repeat("·", barWidth-to))
}

func (p *printer) paint(code, text string) string {
	if !p.style.Colour || text == "" {
		return text
	}
	return code + text + normal
}

func (t Trace) bounds() (begin, end time.Time) {
	for i, s := range t.Spans {
		if i == 0 || s.Start.Before(begin) {
			begin = s.Start
		}
		if s.End.After(end) {
			end = s.End
		}
	}
	return begin, end
}

// short rounds a duration to three digits or so: 412µs, 3.4ms, 1.25s.
func short(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}
