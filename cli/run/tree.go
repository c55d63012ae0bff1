package run

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/odiglet/routes"
)

// line is one span as the tree shows it.
type line struct {
	id, parent pcommon.SpanID
	start, end time.Time
	service    string
	kind       ptrace.SpanKind
	name       string
	status     string
	failed     bool
	link       string
}

func (l line) took() time.Duration { return l.end.Sub(l.start) }

// newLine picks out of a span what the tree shows.
func newLine(service string, s ptrace.Span) line {
	attrs := s.Attributes()
	return line{
		id:      s.SpanID(),
		parent:  s.ParentSpanID(),
		start:   s.StartTimestamp().AsTime(),
		end:     s.EndTimestamp().AsTime(),
		service: service,
		kind:    s.Kind(),
		name:    title(s),
		status:  statusOf(attrs),
		failed:  s.Status().Code() == ptrace.StatusCodeError,
		link:    text(attrs, telemetry.LinkMethod),
	}
}

// title is the span's name, with the server that a client asked, and with the path
// where the name cannot tell it.
func title(s ptrace.Span) string {
	attrs := s.Attributes()
	if route := text(attrs, telemetry.HTTPRoute); route != "" && route != routes.Other {
		return output.Printable(s.Name())
	}
	method, _, _ := strings.Cut(s.Name(), " ")
	if full := text(attrs, telemetry.URLFull); full != "" {
		u, err := url.Parse(full)
		if err != nil {
			return output.Printable(method + " " + full)
		}
		return output.Printable(method + " " + u.Host + cmp.Or(text(attrs, telemetry.URLTemplate), u.EscapedPath()))
	}
	if path := text(attrs, telemetry.URLPath); path != "" {
		return output.Printable(method + " " + path)
	}
	return output.Printable(s.Name())
}

// statusOf is the status code, or what went wrong when there is none.
func statusOf(attrs pcommon.Map) string {
	if code, ok := attrs.Get(telemetry.HTTPResponseStatusCode); ok {
		return code.AsString()
	}
	return cmp.Or(text(attrs, telemetry.ErrorType), "-")
}

func text(attrs pcommon.Map, key string) string {
	v, ok := attrs.Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

// branch is a span with its children.
type branch struct {
	line
	// lost says that the span names a parent that was not seen.
	lost     bool
	children []*branch
}

// plant makes trees of the spans of one trace, earliest first. A span whose
// parent is not among them is a root.
func plant(lines []line) []*branch {
	byID := make(map[pcommon.SpanID]*branch, len(lines))
	all := make([]*branch, 0, len(lines))
	for _, l := range lines {
		b := &branch{line: l}
		all = append(all, b)
		byID[l.id] = b
	}
	var roots []*branch
	for _, b := range all {
		parent, ok := byID[b.parent]
		if !ok || parent == b || leadsTo(byID, parent, b) {
			b.lost = !b.parent.IsEmpty()
			roots = append(roots, b)
			continue
		}
		parent.children = append(parent.children, b)
	}
	for _, b := range all {
		sortByStart(b.children)
	}
	sortByStart(roots)
	return roots
}

// leadsTo says whether following the parents of b arrives at target: ids come
// from headers that anybody may send, so a ring is possible.
func leadsTo(byID map[pcommon.SpanID]*branch, b, target *branch) bool {
	for range len(byID) {
		next, ok := byID[b.parent]
		if !ok {
			return false
		}
		if next == target {
			return true
		}
		b = next
	}
	return true
}

func sortByStart(b []*branch) {
	slices.SortStableFunc(b, func(x, y *branch) int { return x.start.Compare(y.start) })
}

// row is one printed line, in columns.
type row struct {
	cells  [5]string // tree and service, name, status, duration, link
	failed bool
}

// rows walks the trees in the order of printing.
func rows(roots []*branch) []row {
	var out []row
	var walk func(b *branch, first, rest string)
	walk = func(b *branch, first, rest string) {
		out = append(out, b.row(first))
		for i, child := range b.children {
			if i == len(b.children)-1 {
				walk(child, rest+"└─ ", rest+"   ")
				continue
			}
			walk(child, rest+"├─ ", rest+"│  ")
		}
	}
	for _, root := range roots {
		walk(root, "", "")
	}
	return out
}

func (b *branch) row(prefix string) row {
	link := b.link
	if b.lost {
		link = strings.TrimSpace(link + " (parent not seen)")
	}
	return row{
		cells:  [5]string{prefix + output.Printable(b.service), kindWord(b.kind) + " " + b.name, b.status, duration(b.took()), link},
		failed: b.failed,
	}
}

func kindWord(k ptrace.SpanKind) string { return strings.ToLower(k.String()) }

// duration has three significant digits at most and one unit.
func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}
