package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/testkit/program"
)

// starters are the functions that start or find a program, with the place of its name among their arguments.
var starters = map[string]map[string]int{
	"os/exec": {"Command": 0, "CommandContext": 1, "LookPath": 0},
	"os":      {"StartProcess": 0},
	"syscall": {"Exec": 0, "ForkExec": 0, "StartProcess": 0},
}

// computed are files whose programs' names are not in the call, with the names that get there.
var computed = map[string][]string{
	"hack/bench/agentapps.go":           {"npm"}, // and what it installs, by a script
	"hack/bench/auto.go":                nil,     // what make.sh built there
	"hack/bench/odirun.go":              nil,     // bin/odi
	"hack/bench/process.go":             nil,     // itself
	"hack/bench/roles.go":               {"true"},
	"hack/bench/scale.go":               {"sleep"}, // and bin/odi
	"hack/cluster/packages.go":          nil,       // hack/setup.sh
	"hack/cluster/process/process.go":   {"nsenter"},
	"hack/cluster/node/network.go":      {"sh"}, // ctr, as it was built; in the network namespace: sh
	"hack/cluster/runc/main.go":         {"/usr/sbin/runc"},
	"hack/cluster/up.go":                nil,            // kubectl, as it was built
	"hack/demo/stage/local.go":          nil,            // hack/run.sh and bin/odi
	"hack/field/run.go":                 {"go", "make"}, // and scripts of the clone
	"hack/fuzz/run.go":                  nil,            // the test that it built
	"hack/images/build/build.go":        nil,            // scripts of the clone
	"hack/images/build/tree.go":         nil,            // scripts of the clone
	"hack/prove/parents/place.go":       nil,            // what it installs first, and the odi that was built
	"hack/prove/redaction/prove.go":     nil,            // itself
	"hack/prove/redaction/world.go":     nil,            // itself
	"hack/prove/redaction/processes.go": {"curl", "python3", "node", "ruby", "php", "sh", "env", "perl", "timeout", "bash"},
	"hack/prove/stage/players.go":       nil, // itself, and the peer in C that it built
	"hack/try/main.go":                  nil, // what it built
}

// TestTestsStartProgramsOfPackages holds tests to internal/testkit/program, which fails where a
// fresh machine would lack the program.
func TestTestsStartProgramsOfPackages(t *testing.T) {
	for path, file := range parsed(t, func(f goFile) bool {
		return strings.HasSuffix(f.path, "_test.go") || within("internal/testkit", f.dir) && !within("internal/testkit/program", f.dir)
	}) {
		for _, c := range calls(file) {
			t.Errorf("%s calls %s: use Command or Need of internal/testkit/program, so that the test fails where a fresh machine lacks the program", path, c.function)
		}
	}
}

// TestToolsStartProgramsOfPackages looks at what the tools of hack/ start, since tests and targets run them.
func TestToolsStartProgramsOfPackages(t *testing.T) {
	names := map[string]string{}
	files := parsed(t, func(f goFile) bool { return within("hack", f.dir) && !strings.HasSuffix(f.path, "_test.go") })
	seen := map[string]bool{}
	for path, file := range files {
		for _, e := range startedBy(files, path, file) {
			name, ok := literal(e)
			if ok {
				names[name] = path
				continue
			}
			if _, known := computed[path]; !known {
				t.Errorf("%s starts a program whose name is not in the call: say in `computed` which it may be", path)
			}
			seen[path] = true
		}
	}
	for path, more := range computed {
		if !seen[path] {
			t.Errorf("%s is in `computed` and starts nothing", path)
		}
		for _, name := range more {
			names[name] = path
		}
	}
	if len(names) < 5 {
		t.Errorf("found only %v; the search is broken", names)
	}
	for name, path := range names {
		if err := program.Check(t, name); err != nil {
			t.Errorf("%s starts %v", path, err)
		}
	}
}

// call is a call that starts a program.
type call struct {
	function string
	program  ast.Expr
	within   *ast.FuncDecl
}

// calls finds the calls of the starters in a file.
func calls(file *ast.File) []call {
	imported := map[string]string{} // By name in the file.
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value) // The parser has seen that it is a string.
		name := filepath.Base(path)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = path
	}
	var found []call
	for _, decl := range file.Decls {
		function, _ := decl.(*ast.FuncDecl)
		ast.Inspect(decl, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			s, ok := c.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := s.X.(*ast.Ident)
			if !ok {
				return true
			}
			if at, ok := starters[imported[of.Name]][s.Sel.Name]; ok && at < len(c.Args) {
				found = append(found, call{function: of.Name + "." + s.Sel.Name, program: c.Args[at], within: function})
			}
			return true
		})
	}
	return found
}

// startedBy returns the expressions that name the programs which a file starts. Where the name is a
// parameter of the function that starts it, they are those of the function's callers in the package.
func startedBy(files map[string]*ast.File, path string, file *ast.File) []ast.Expr {
	var found []ast.Expr
	for _, c := range calls(file) {
		at := parameter(c.within, c.program)
		if at < 0 {
			found = append(found, c.program)
			continue
		}
		for other, sibling := range files {
			if filepath.Dir(other) == filepath.Dir(path) {
				found = append(found, argumentsOf(sibling, c.within.Name.Name, at)...)
			}
		}
	}
	return found
}

// parameter is the place of an expression among a function's parameters, or -1.
func parameter(function *ast.FuncDecl, e ast.Expr) int {
	name, ok := e.(*ast.Ident)
	if function == nil || !ok {
		return -1
	}
	at := 0
	for _, field := range function.Type.Params.List {
		for _, p := range field.Names {
			if p.Name == name.Name {
				return at
			}
			at++
		}
	}
	return -1
}

// argumentsOf returns what a function is called with at a place.
func argumentsOf(file *ast.File, function string, at int) []ast.Expr {
	var found []ast.Expr
	ast.Inspect(file, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok || at >= len(c.Args) {
			return true
		}
		switch f := c.Fun.(type) {
		case *ast.Ident:
			if f.Name == function {
				found = append(found, c.Args[at])
			}
		case *ast.SelectorExpr:
			if f.Sel.Name == function {
				if of, ok := f.X.(*ast.Ident); !ok || of.Obj != nil { // Not a function of another package.
					found = append(found, c.Args[at])
				}
			}
		}
		return true
	})
	return found
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}

// parsed returns the syntax of the wanted files by path.
func parsed(t *testing.T, want func(goFile) bool) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	for _, f := range sources(t) {
		if !want(f) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root(t), f.path), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files[f.path] = file
	}
	if len(files) == 0 {
		t.Fatal("no such files; the walk is broken")
	}
	return files
}
