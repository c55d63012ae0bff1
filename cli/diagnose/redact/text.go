package redact

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Hidden is what stands in the place of a secret.
const Hidden = "[REDACTED]"

// shortest is the length from which a known secret is looked for everywhere: shorter ones are words of ordinary text.
const shortest = 6

// Redactor knows what is secret. The zero value knows no values, only what secrets look like.
type Redactor struct {
	known *strings.Replacer
}

// New returns one that knows values. Each is also found in the forms that JSON, URLs and base64 give it, and line by line.
func New(secrets [][]byte) Redactor {
	forms := map[string]bool{}
	for _, secret := range secrets {
		for _, form := range formsOf(string(secret)) {
			if len(form) >= shortest {
				forms[form] = true
			}
		}
	}
	if len(forms) == 0 {
		return Redactor{}
	}
	// The longest first: one secret may begin with another.
	all := make([]string, 0, len(forms))
	for form := range forms {
		all = append(all, form)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(all))
	for _, form := range all {
		pairs = append(pairs, form, Hidden)
	}
	return Redactor{known: strings.NewReplacer(pairs...)}
}

func formsOf(secret string) []string {
	quoted, err := json.Marshal(secret)
	if err != nil {
		quoted = []byte(`""`)
	}
	forms := []string{
		secret, strings.TrimSpace(secret), strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
	for line := range strings.Lines(secret) { // a log may break it
		if line = strings.TrimSpace(line); len(line) >= 2*shortest {
			forms = append(forms, line)
		}
	}
	return forms
}

// word ends a name by which secrets go.
const word = `(?:pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|access|private)[-_.]?key|[-_]key|auth(?:orization)?|credentials?|cookie|bearer|signature|dsn|x-honeycomb-team)`

// hints are small letters of which one is in every line that a look with word can match.
var hints = []string{"pass", "pwd", "secret", "token", "key", "auth", "credential", "cookie", "bearer", "signature", "dsn", "x-honeycomb-team"}

// look is what one kind of secret looks like in a line, what is left of it, and what a line has, in small
// letters, that may hold one: most lines do not, and patterns are slow.
type look struct {
	pattern *regexp.Regexp
	left    string
	hints   []string
}

var looks = []look{
	{regexp.MustCompile(`(://)[^/\s"'@]+@`), "${1}" + Hidden + "@", []string{"@"}},
	{regexp.MustCompile(`([?&][A-Za-z0-9_.~%-]+=)[^&\s"'<>)\]}]+`), "${1}" + Hidden, []string{"?", "&"}},
	{regexp.MustCompile(`(?i)\b(bearer|basic|digest|apikey|api-token|api-key|splunk|negotiate)(\s+)[A-Za-z0-9._~+/=:-]{6,}`), "${1}${2}" + Hidden,
		[]string{"bearer", "basic", "digest", "apikey", "api-", "splunk", "negotiate"}},
	{regexp.MustCompile(`(?i)(` + word + `\\?["']?\s*[:=]\s*)\\?"(?:[^"\\]|\\.)*"`), `${1}"` + Hidden + `"`, hints},
	{regexp.MustCompile(`(?i)(` + word + `["']?\s*[:=]\s*)'[^']*'`), "${1}'" + Hidden + "'", hints},
	{regexp.MustCompile(`(?i)(` + word + `\s*[:=]\s*)[^\s,;"'\[\]{}()]+`), "${1}" + Hidden, hints},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*`), Hidden, []string{"eyj"}},
	{regexp.MustCompile(`\b(?:gh[pousr]_|github_pat_|glsa_|glc_|hcaik_|hcxik_|dt0[a-z]01\.|NRAK-|NRII-|xox[abprs]-|sk-|pk-lf-|AKIA|ASIA|AIza|dp\.st\.)[A-Za-z0-9_.-]{8,}`), Hidden,
		[]string{"gh", "gl", "hc", "dt0", "nr", "xox", "sk-", "pk-", "akia", "asia", "aiza", "dp.st."}},
}

// privateKey may be cut off by the end of a log.
var privateKey = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`)

// Text takes secrets out of free text: logs, messages, metrics.
func (r Redactor) Text(text string) string {
	text = r.Known(text)
	if strings.Contains(text, "PRIVATE KEY-----") {
		text = privateKey.ReplaceAllString(text, Hidden)
	}
	var out strings.Builder
	out.Grow(len(text))
	for line := range strings.Lines(text) {
		out.WriteString(longWords(inLine(line)))
	}
	return out.String()
}

func inLine(line string) string {
	small := strings.ToLower(line)
	for _, l := range looks {
		if slices.ContainsFunc(l.hints, func(hint string) bool { return strings.Contains(small, hint) }) {
			line = l.pattern.ReplaceAllString(line, l.left)
		}
	}
	return line
}

// longest is the length from which a word may be a key that nobody announced.
const longest = 20

// longWords takes out those that look as if a machine had made them.
func longWords(line string) string {
	var out strings.Builder
	for len(line) > 0 {
		n := 0
		for n < len(line) && inWord(line[n]) {
			n++
		}
		if n >= longest && random(line[:n]) {
			out.WriteString(Hidden)
		} else {
			out.WriteString(line[:n])
		}
		line = line[n:]
		n = 0
		for n < len(line) && !inWord(line[n]) {
			n++
		}
		out.WriteString(line[:n])
		line = line[n:]
	}
	return out.String()
}

func inWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+/_=-", c) >= 0
}

// Known takes out values that are known to be secret, whatever stands around them.
func (r Redactor) Known(text string) string {
	if r.known == nil {
		return text
	}
	return r.known.Replace(text)
}

// random says whether a long word looks as if a machine had made it: names of Kubernetes and ids of traces
// have small letters, names of Go have no digits among their capitals and no length without words.
func random(w string) bool {
	upper, lower, digits, turns := 0, 0, 0, 0
	last := rune(0)
	for _, c := range w {
		switch {
		case unicode.IsUpper(c):
			upper++
		case unicode.IsLower(c):
			lower++
		case unicode.IsDigit(c):
			digits++
		}
		if last != 0 && kindOf(c) != kindOf(last) {
			turns++
		}
		last = c
	}
	return upper > 1 && lower > 1 && digits > 1 && turns*3 >= len(w)
}

func kindOf(c rune) int {
	switch {
	case unicode.IsUpper(c):
		return 1
	case unicode.IsLower(c):
		return 2
	case unicode.IsDigit(c):
		return 3
	}
	return 0
}
