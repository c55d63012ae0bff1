package routes

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzName sends the lines of the input as paths to one service, and checks what
// must hold for all of them.
func FuzzName(f *testing.F) {
	f.Add("/users/1\n/users/alice\n/a;b=c/d\n/x(1)\n/1:cancel\n/.\n/..\n//", uint16(200), false)
	f.Add("/"+strings.Repeat("a/", 300)+"\n/%2e%2e\n*\n/\xff", uint16(404), true)
	f.Add("/a.js\n/$x\n/(\n/:\n/a:\n/;\n/a.\n/.a\n/-\n/en-US\n/zh-Hant-TW\n/v1.\n/v1-\n/2026-11-26T", uint16(0), false)
	p, err := Compile([]string{"/a/{b}/c", "/d/*", "/{x}.y"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, paths string, status uint16, isClient bool) {
		if !utf8.ValidString(paths) {
			return // spans hold valid text only
		}
		b := NewBook()
		for path := range strings.Lines(paths) {
			path = strings.TrimSuffix(path, "\n")
			q := Query{Client: isClient, Method: "GET", Path: path, Status: int(status), Patterns: p}
			first, again := b.Name(&q), b.Name(&q)
			if first != again && first.Route != "" {
				t.Errorf("%q is called %+v, then %+v", path, first, again)
			}
			if first.Route != "" && first.Route[0] != '/' || !utf8.ValidString(first.Span) || len(first.Span) > 2*maxPath || strings.ContainsAny(first.Span, "\x00\n;?") {
				t.Errorf("%q is called %q", path, first.Span)
			}
		}
		if n := len(b.List(Service{})); n > MaxRoutes+1 {
			t.Errorf("%d routes", n)
		}
	})
}
