package http1

import (
	"bytes"
	"strconv"
	"strings"
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

// parseHead reads as much as there is; the head may be cut anywhere.
func parseHead(raw []byte) head {
	raw = bytes.TrimLeft(raw[:min(len(raw), headMax)], "\r\n")
	line, rest, complete := bytes.Cut(raw, []byte("\n"))
	h := head{version: "1.1"}
	method, after, _ := strings.Cut(text(bytes.TrimRight(line, "\r")), " ")
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
func (h *head) headers(raw []byte) {
	for len(raw) > 0 {
		var line []byte
		line, raw, _ = bytes.Cut(raw, []byte("\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		if to := h.field(name); to != nil && *to == "" {
			*to = text(bytes.TrimSpace(value))
		}
	}
}

// field returns where the value of a header goes, nil for most headers. It
// compares by length first: this runs for every header of every request.
func (h *head) field(name []byte) *string {
	for _, f := range [...]struct {
		name string
		to   *string
	}{
		{"host", &h.url.authority},
		{"user-agent", &h.userAgent},
		{"forwarded", &h.forwarded},
		{"x-forwarded-for", &h.forwardedFor},
	} {
		if len(name) == len(f.name) && strings.EqualFold(string(name), f.name) {
			return f.to
		}
	}
	return nil
}

// text makes wire bytes valid and bounded.
func text(raw []byte) string {
	return strings.ToValidUTF8(string(raw[:min(len(raw), valueMax)]), "\uFFFD")
}

// parseTarget handles the four forms of RFC 9112: origin, absolute, authority
// (CONNECT) and asterisk. User information never leaves it.
func parseTarget(method, s string) target {
	t := target{scheme: "http"}
	if method == "CONNECT" {
		t.authority = withoutUser(s)
		return t
	}
	if scheme, rest, ok := strings.Cut(s, "://"); ok && isScheme(scheme) {
		t.scheme = strings.ToLower(scheme)
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		t.authority = withoutUser(rest[:end])
		s = rest[end:]
	}
	s, _, _ = strings.Cut(s, "#")
	var query string
	t.path, query, _ = strings.Cut(s, "?")
	t.query = redact(query)
	return t
}

func isScheme(s string) bool {
	return strings.EqualFold(s, "http") || strings.EqualFold(s, "https")
}

func withoutUser(authority string) string {
	return authority[strings.LastIndex(authority, "@")+1:]
}

// redact keeps the keys of a query and hides its values.
func redact(query string) string {
	if query == "" {
		return ""
	}
	var b strings.Builder
	for i, pair := range strings.Split(query, "&") {
		if i > 0 {
			b.WriteByte('&')
		}
		key, _, hasValue := strings.Cut(pair, "=")
		if !hasValue {
			// A lone word may be a secret as well as a flag.
			b.WriteString("REDACTED")
			continue
		}
		b.WriteString(key)
		b.WriteString("=REDACTED")
	}
	return b.String()
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
