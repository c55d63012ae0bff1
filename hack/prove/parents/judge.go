package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/url"
	"os"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// span is what the judge needs of one.
type span struct {
	id, parent pcommon.SpanID
	trace      pcommon.TraceID
	client     bool
	pid        int64
	path       string
	how        string // odi.link.method
}

// verdict is what became of the client spans of one run.
type verdict struct {
	asked  int // client spans that a request asked for
	linked int // ... with that request as the parent
	own    int // client spans of the application's own work
	wrong  []string
	how    string
}

// judge looks at every client span's parent. Only a request with the number that
// ends the client's path may be it. Work of an application's own has no number, and
// no parent.
func judge(spans []span) verdict {
	servers := serversByID(spans)
	var v verdict
	for _, s := range spans {
		if !s.client {
			continue
		}
		asked := !strings.HasPrefix(s.path, "/bg/") && number(s.path) != ""
		if asked {
			v.asked++
		} else {
			v.own++
		}
		if s.parent.IsEmpty() {
			continue
		}
		switch wrong := misplaced(s, servers); {
		case wrong != "":
			v.wrong = append(v.wrong, wrong)
		case asked:
			v.linked++
			v.how = s.how
		}
	}
	return v
}

// serversByID finds a request's span by what names it as a parent.
func serversByID(spans []span) map[pcommon.SpanID]span {
	servers := map[pcommon.SpanID]span{}
	for _, s := range spans {
		if !s.client {
			servers[s.id] = s
		}
	}
	return servers
}

// misplaced says what is wrong with the parent of a client span; empty if nothing is.
func misplaced(s span, servers map[pcommon.SpanID]span) string {
	up, known := servers[s.parent]
	switch {
	case !known:
		return fmt.Sprintf("%s (%s) below a span that is not there", s.path, s.how)
	case up.trace != s.trace || up.pid != s.pid || !mayBe(up.path, s.path):
		return fmt.Sprintf("%s (%s) below %s", s.path, s.how, up.path)
	}
	return ""
}

// mayBe tells whether a request for the path up can have made one for path. What
// a proxy passes on has the same path; its subrequests belong to any of its requests.
func mayBe(up, path string) bool {
	switch {
	case strings.HasPrefix(path, "/bg/auth/"), strings.HasPrefix(path, "/bg/mirror/"):
		return strings.HasPrefix(up, "/work/")
	case number(path) != "":
		return up == "/work/"+number(path)
	}
	return up == path && !strings.HasPrefix(path, "/bg/")
}

// number is the last element of a path if it is one.
func number(path string) string {
	last := path[strings.LastIndex(path, "/")+1:]
	if last == "" || strings.Trim(last, "0123456789") != "" {
		return ""
	}
	return last
}

// readSpans reads what `odi run -o json` has printed.
func readSpans(file string) ([]span, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []span
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		if !bytes.HasPrefix(lines.Bytes(), []byte("{")) {
			continue // the application's own words
		}
		traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("reading a line of odi run: %w", err)
		}
		for _, of := range traces.ResourceSpans().All() {
			pid, _ := of.Resource().Attributes().Get("process.pid")
			for _, scope := range of.ScopeSpans().All() {
				for _, s := range scope.Spans().All() {
					one := spanOf(s)
					one.pid = pid.Int()
					all = append(all, one)
				}
			}
		}
	}
	return all, lines.Err()
}

func spanOf(s ptrace.Span) span {
	out := span{id: s.SpanID(), parent: s.ParentSpanID(), trace: s.TraceID(), client: s.Kind() == ptrace.SpanKindClient}
	if how, ok := s.Attributes().Get("odi.link.method"); ok {
		out.how = how.Str()
	}
	if path, ok := s.Attributes().Get("url.path"); ok {
		out.path = path.Str()
	} else if full, ok := s.Attributes().Get("url.full"); ok {
		if u, err := url.Parse(full.Str()); err == nil {
			out.path = u.Path
		}
	}
	return out
}
