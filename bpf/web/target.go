package web

import (
	"strconv"
	"strings"
)

// valueMax bounds every attribute that comes from the wire.
const valueMax = 1024

// Target is the request target with the secrets taken out.
type Target struct {
	Scheme    string
	Authority string
	Path      string
	Query     string

	absolute bool // the request says the scheme itself
}

// Bounded cuts a value, and what the cut leaves of a character.
func Bounded(s string) string {
	if len(s) <= valueMax {
		return s
	}
	return strings.ToValidUTF8(s[:valueMax], "\uFFFD")
}

// ParseTarget handles the four forms of RFC 9112: origin, absolute, authority
// (CONNECT) and asterisk. User information never leaves it, nor do values of path parameters,
// nor those of queries but for pages and the keys that may be shown.
func ParseTarget(method, s string, keys []string) Target {
	t := Target{Scheme: "http"}
	if method == "CONNECT" {
		t.Authority = WithoutUser(s)
		return t
	}
	if !strings.HasPrefix(s, "/") {
		s = t.takeAuthority(s)
	}
	s, _, _ = strings.Cut(s, "#")
	var query string
	t.Path, query, _ = strings.Cut(s, "?")
	t.Path = withoutParameters(t.Path)
	t.Query = redact(query, keys)
	return t
}

// takeAuthority takes scheme and authority, if there are any, and returns what follows.
func (t *Target) takeAuthority(s string) string {
	if scheme, rest, ok := strings.Cut(s, "://"); ok && isScheme(scheme) {
		t.Scheme, t.absolute = strings.ToLower(scheme), true
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		t.Authority = WithoutUser(rest[:end])
		return rest[end:]
	}
	return s
}

// over gives a target the scheme of what its request came over, unless it has said another one
// itself, as to a proxy.
func (t *Target) over(tls bool) {
	if tls && !t.absolute {
		t.Scheme = "https"
	}
}

func isScheme(s string) bool {
	return strings.EqualFold(s, "http") || strings.EqualFold(s, "https")
}

// WithoutUser cuts off who the user is before a host.
func WithoutUser(authority string) string {
	return authority[strings.LastIndex(authority, "@")+1:]
}

// withoutParameters hides the values that segments of a path have: /cart;jsessionid=REDACTED.
func withoutParameters(path string) string {
	if !strings.Contains(path, ";") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		words := strings.Split(segment, ";")
		for j, word := range words[1:] {
			if key, value, _ := strings.Cut(word, "="); value != "" {
				words[j+1] = key + "=REDACTED"
			}
		}
		segments[i] = strings.Join(words, ";")
	}
	return Bounded(strings.Join(segments, "/"))
}

// redact keeps the keys of a query and hides its values but those of pages and of some
// keys. That can make it longer, hence the second bound.
func redact(query string, keys []string) string {
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
		if shown(key, value) || named(key, value, keys) {
			b.WriteString(pair)
			continue
		}
		b.WriteString(key)
		b.WriteString("=REDACTED")
	}
	return Bounded(b.String())
}

// splitHostPort also takes hosts without port; port 0 means none.
func splitHostPort(s string) (host string, port int64) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return withoutBrackets(s), 0
	}
	port, err := strconv.ParseInt(s[i+1:], 10, 64)
	if err != nil || port < 0 || port > 65535 {
		port = 0
	}
	return withoutBrackets(s[:i]), port
}

// withoutBrackets takes off those of an address of IPv6, which few hosts are.
func withoutBrackets(host string) string {
	if !strings.Contains(host, "[") && !strings.Contains(host, "]") {
		return host
	}
	return strings.Trim(host, "[]")
}
