package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// impatient names of net/http share http.DefaultClient or http.DefaultTransport: they obey HTTP_PROXY,
// also on the way to a pod, follow redirects, and wait for ever.
var impatient = map[string]bool{
	"DefaultClient": true, "DefaultTransport": true, "Get": true, "Head": true, "Post": true, "PostForm": true,
}

// likeUsers are programs that stand for those of users, who write such things.
var likeUsers = []string{"hack/demo/shop", "hack/prove/parents/apps", "hack/try", "hack/bench", "bpf/golang/offsetgen"}

// TestRequestsAreOurs: whoever asks over HTTP says with which client, and that says with which transport.
func TestRequestsAreOurs(t *testing.T) {
	looked := 0
	for path, file := range shipped(t) {
		looked++
		inspectHTTP(t, path, file)
	}
	if looked < 100 {
		t.Errorf("looked at %d files; the search is broken", looked)
	}
}

func inspectHTTP(t *testing.T, path string, file *ast.File) {
	t.Helper()
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if of(n, "http") && impatient[n.Sel.Name] {
				t.Errorf("%s uses http.%s, which obeys HTTP_PROXY and waits for ever: make a client with a transport and a timeout", path, n.Sel.Name)
			}
		case *ast.CompositeLit:
			if s, ok := n.Type.(*ast.SelectorExpr); ok && of(s, "http") && s.Sel.Name == "Client" && !sets(n, "Transport") {
				t.Errorf("%s makes an http.Client without a Transport, which is http.DefaultTransport", path)
			}
		}
		return true
	})
}

// TestStreamsEnd: whoever opens a log sets a time in the same function. Lists of the controllers have
// that of their reconcile.
func TestStreamsEnd(t *testing.T) {
	found := 0
	for path, file := range shipped(t) {
		for _, decl := range file.Decls {
			function, ok := decl.(*ast.FuncDecl)
			if !ok || !calling(function, "GetLogs") {
				continue
			}
			found++
			if !calling(function, "WithTimeout") && !calling(function, "WithDeadline") {
				t.Errorf("%s: %s opens a log that may never end: set a timeout", path, function.Name.Name)
			}
		}
	}
	if found == 0 {
		t.Error("no log is opened anywhere; the search is broken")
	}
}

// shipped parses what is not a test and does not stand for a user's program.
func shipped(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	for _, f := range sources(t) {
		if strings.HasSuffix(f.path, "_test.go") || f.made || anyWithin(likeUsers, f.dir) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root(t), f.path), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files[f.path] = file
	}
	return files
}

func anyWithin(trees []string, dir string) bool {
	for _, tree := range trees {
		if within(tree, dir) {
			return true
		}
	}
	return false
}

// of says whether a selector is one of a package, or variable, of that name.
func of(s *ast.SelectorExpr, name string) bool {
	ident, ok := s.X.(*ast.Ident)
	return ok && ident.Name == name
}

func sets(literal *ast.CompositeLit, field string) bool {
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == field {
				return true
			}
		}
	}
	return false
}

func calling(function *ast.FuncDecl, method string) bool {
	found := false
	ast.Inspect(function, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == method {
				found = true
			}
		}
		return !found
	})
	return found
}
