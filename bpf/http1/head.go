package http1

import (
	"strings"

	"github.com/odi-dev/odi/bpf/probe"
	"github.com/odi-dev/odi/bpf/web"
)

// head is a request head of which header lines are read.
type head struct{ web.Head }

// parseHead reads as much as there is; the head may be cut anywhere. What it
// returns shares the bytes.
func parseHead(raw []byte, queryKeys []string) web.Head {
	raw = withoutBlankLines(raw[:min(len(raw), headMax)])
	line, rest, complete := strings.Cut(probe.Text(raw), "\n")
	h := head{web.Head{Version: "1.1"}}
	method, after, _ := strings.Cut(web.Bounded(strings.TrimRight(line, "\r")), " ")
	h.Method = method
	if i := strings.LastIndex(after, " HTTP/"); i >= 0 {
		h.Version = after[i+len(" HTTP/"):]
		after = after[:i]
	}
	h.Target = web.ParseTarget(method, after, queryKeys)
	if !complete {
		return h.Head
	}
	h.headers(rest)
	return h.Head
}

// withoutBlankLines is bytes.TrimLeft, which makes a set of what it cuts for every request.
func withoutBlankLines(raw []byte) []byte {
	for len(raw) > 0 && (raw[0] == '\r' || raw[0] == '\n') {
		raw = raw[1:]
	}
	return raw
}

// headers reads the header lines; the first of a name counts.
func (h *head) headers(lines string) {
	for lines != "" {
		line := lines
		if end := strings.IndexByte(lines, '\n'); end >= 0 {
			line, lines = lines[:end], lines[end+1:]
		} else {
			lines = ""
		}
		colon := strings.IndexByte(line, ':')
		if colon < 0 {
			continue
		}
		if to := h.field(line[:colon]); to != nil && *to == "" {
			*to = web.Bounded(strings.TrimSpace(line[colon+1:]))
		}
	}
	h.Target.Authority = web.WithoutUser(h.Target.Authority)
}

// field returns where the value of a header goes, nil for most headers. It
// compares by length first: this runs for every header of every request.
func (h *head) field(name string) *string {
	switch {
	case len(name) == len("host") && strings.EqualFold(name, "host"):
		return &h.Target.Authority
	case len(name) == len("user-agent") && strings.EqualFold(name, "user-agent"):
		return &h.UserAgent
	case len(name) == len("forwarded") && strings.EqualFold(name, "forwarded"):
		return &h.Forwarded
	case len(name) == len("x-forwarded-for") && strings.EqualFold(name, "x-forwarded-for"):
		return &h.ForwardedFor
	}
	return nil
}
