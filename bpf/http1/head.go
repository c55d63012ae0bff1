package http1

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// valueMax bounds every attribute that comes from the wire.
const valueMax = 1024

// head is what a span needs of a request head.
type head struct {
	method       string
	version      string
	url          target
	userAgent    string
	forwarded    string
	forwardedFor string
}

// target is the request target with the secrets taken out.
type target struct {
	scheme    string
	authority string
	path      string
	query     string
}

// parseHead reads as much as there is; the head may be cut anywhere. What it
// returns shares the bytes.
func parseHead(raw []byte) head {
	raw = bytes.TrimLeft(raw[:min(len(raw), headMax)], "\r\n")
	line, rest, complete := strings.Cut(text(raw), "\n")
	h := head{version: "1.1"}
	method, after, _ := strings.Cut(bounded(strings.TrimRight(line, "\r")), " ")
	h.method = method
	if i := strings.LastIndex(after, " HTTP/"); i >= 0 {
		h.version = after[i+len(" HTTP/"):]
		after = after[:i]
	}
	h.url = parseTarget(method, after)
	if !complete {
		return h
	}
	h.headers(rest)
	return h
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
			*to = bounded(strings.TrimSpace(line[colon+1:]))
		}
	}
}

// field returns where the value of a header goes, nil for most headers. It
// compares by length first: this runs for every header of every request.
func (h *head) field(name string) *string {
	switch {
	case len(name) == len("host") && strings.EqualFold(name, "host"):
		return &h.url.authority
	case len(name) == len("user-agent") && strings.EqualFold(name, "user-agent"):
		return &h.userAgent
	case len(name) == len("forwarded") && strings.EqualFold(name, "forwarded"):
		return &h.forwarded
	case len(name) == len("x-forwarded-for") && strings.EqualFold(name, "x-forwarded-for"):
		return &h.forwardedFor
	}
	return nil
}

// text is wire bytes, made valid, which nearly all are already. These are not
// copied: that would be memory for every request.
func text(raw []byte) string {
	if utf8.Valid(raw) {
		return unsafe.String(unsafe.SliceData(raw), len(raw))
	}
	return strings.ToValidUTF8(string(raw), "\uFFFD")
}

// bounded cuts a value, and what the cut leaves of a character.
func bounded(s string) string {
	if len(s) <= valueMax {
		return s
	}
	return strings.ToValidUTF8(s[:valueMax], "\uFFFD")
}

// parseTarget handles the four forms of RFC 9112: origin, absolute, authority
// (CONNECT) and asterisk. User information never leaves it.
func parseTarget(method, s string) target {
	t := target{scheme: "http"}
	if method == "CONNECT" {
		t.authority = withoutUser(s)
		return t
	}
	if !strings.HasPrefix(s, "/") {
		s = t.absolute(s)
	}
	s, _, _ = strings.Cut(s, "#")
	var query string
	t.path, query, _ = strings.Cut(s, "?")
	t.query = redact(query)
	return t
}

// absolute takes scheme and authority, if there are any, and returns what follows.
func (t *target) absolute(s string) string {
	if scheme, rest, ok := strings.Cut(s, "://"); ok && isScheme(scheme) {
		t.scheme = strings.ToLower(scheme)
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		t.authority = withoutUser(rest[:end])
		return rest[end:]
	}
	return s
}

func isScheme(s string) bool {
	return strings.EqualFold(s, "http") || strings.EqualFold(s, "https")
}

func withoutUser(authority string) string {
	return authority[strings.LastIndex(authority, "@")+1:]
}

// redact keeps the keys of a query and hides its values but those of pages. That can
// make it longer, hence the second bound.
func redact(query string) string {
	if query == "" {
		return ""
	}
	var b strings.Builder
	b.Grow(len(query) + len("=REDACTED"))
	first := true
	for pair := range strings.SplitSeq(query, "&") {
		if !first {
			b.WriteByte('&')
		}
		first = false
		key, value, hasValue := strings.Cut(pair, "=")
		if !hasValue {
			// A lone word may be a secret as well as a flag.
			b.WriteString("REDACTED")
			continue
		}
		if shown(key, value) {
			b.WriteString(pair)
			continue
		}
		b.WriteString(key)
		b.WriteString("=REDACTED")
	}
	return bounded(b.String())
}

// splitHostPort also takes hosts without port; port 0 means none.
func splitHostPort(s string) (host string, port int64) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return strings.Trim(s, "[]"), 0
	}
	port, err := strconv.ParseInt(s[i+1:], 10, 64)
	if err != nil || port < 0 || port > 65535 {
		port = 0
	}
	return strings.Trim(s[:i], "[]"), port
}
