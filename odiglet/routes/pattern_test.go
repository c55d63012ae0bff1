package routes

import (
	"fmt"
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	p, err := Compile([]string{
		"/", "/orders/{id}", "/orders/new", "/orders/{id}/items/{item}", "/files/*", "/@{user}/lists", "/reports/{name}.pdf",
		"/a/{x}/c", "/a/b/{y}/d", "/api/*", "/api/v1/{thing}",
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/": "/", "/orders/17": "/orders/{id}", "/orders/new": "/orders/new", "/orders/17/": "/orders/{id}", "//orders//17": "/orders/{id}",
		"/orders/17;v=1": "/orders/{id}", "/orders": "", "/orders/1/2": "", "/orders/1/items/2": "/orders/{id}/items/{item}",
		"/files": "", "/files/a": "/files/*", "/files/a/b/c.txt": "/files/*",
		"/@alice/lists": "/@{user}/lists", "/@/lists": "", "/alice/lists": "",
		"/reports/may.pdf": "/reports/{name}.pdf", "/reports/may.csv": "",
		"/a/b/c": "/a/{x}/c", "/a/b/c/d": "/a/b/{y}/d",
		"/api/v1/x": "/api/v1/{thing}", "/api/v1/x/y": "/api/*", "/api/v2": "/api/*",
	} {
		if got := p.match(path); got != want {
			t.Errorf("%s fits %q, want %q", path, got, want)
		}
	}
}

func TestPatternsThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "orders", "*", "/a*", "/*/a", "/a/{", "/a/{}", "/a/{1}", "/a/{b}{c}", "/a b", "/a?b", "/a#b", "/a;b", "/{a}/**", "/" + strings.Repeat("x", 256),
	} {
		if _, err := Compile([]string{text}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if _, err := Compile(make([]string, MaxPatterns+1)); err == nil {
		t.Error("too many are taken")
	}
	if p, err := Compile(nil); p != nil || err != nil {
		t.Errorf("none is %v, %v", p, err)
	}
}

// TestPatternsComeFirst also pins that they take from the routes of the service,
// and are named whatever the answer was.
func TestPatternsComeFirst(t *testing.T) {
	p, err := Compile([]string{"/users/{name}", "/*"})
	if err != nil {
		t.Fatal(err)
	}
	b := NewBook()
	for _, status := range []int{200, 404} {
		if got := b.Name(&Query{Method: "GET", Path: "/users/alice", Status: status, Patterns: p}); got.Span != "GET /users/{name}" {
			t.Errorf("got %+v", got)
		}
	}
	if got := b.Name(&Query{Client: true, Method: "GET", Path: "/users/alice", Status: 200, Patterns: p}); got.Route != "/users/alice" {
		t.Errorf("a client's request is called %+v", got)
	}
	if all := b.List(Service{}); len(all) != 2 || all[0] != (Listed{Route: "/users/{name}", Count: 2}) {
		t.Errorf("listed: %+v", all)
	}
}

func TestPatternsAreBoundedInTime(t *testing.T) {
	var texts []string
	for i := range MaxPatterns {
		texts = append(texts, "/"+strings.Repeat("{a}/", i%20)+fmt.Sprint("x", i)+strings.Repeat("/{b}", i%13))
	}
	p, err := Compile(texts)
	if err != nil {
		t.Fatal(err)
	}
	tries := 256
	p.root.match(strings.Repeat("/x1", 170), &tries)
	if tries < -MaxPatterns {
		t.Errorf("%d tries", 256-tries)
	}
}

func TestPatternsAreEqualByTheirTexts(t *testing.T) {
	a, _ := Compile([]string{"/a"})
	b, _ := Compile([]string{"/a"})
	c, _ := Compile([]string{"/c"})
	var none *Patterns
	if !a.Equal(b) || a.Equal(c) || a.Equal(nil) || none.Equal(a) || !none.Equal(nil) {
		t.Error("Equal is wrong")
	}
}
