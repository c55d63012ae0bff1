package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the clone, seen from this folder.
const root = "../.."

// TestEveryCaseIsThere holds the table to the repository: each test that a case names
// exists, each tool has its folder, each target of make its line.
func TestEveryCaseIsThere(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases {
		if c.kind < 0 || c.kind >= len(kinds) {
			t.Fatalf("%s: there is no kind %d", c.proves, c.kind)
		}
		name := c.kindName() + ": " + c.proves
		if seen[name] {
			t.Errorf("%s: twice", name)
		}
		seen[name] = true
		if len([]rune(c.proves)) > caseWidth || len(c.kindName()) > kindWidth {
			t.Errorf("%s: wider than its column", name)
		}
		if (c.pkg == "") == (len(c.command) == 0) || (c.pkg == "") != (len(c.tests) == 0) {
			t.Errorf("%s: it must have either tests of a package, or a command", name)
			continue
		}
		for _, pattern := range c.figures {
			if _, err := regexp.Compile(pattern); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		checkRun(t, name, c)
	}
	for n, kind := range kinds {
		if !slices.ContainsFunc(cases, func(c fieldCase) bool { return c.kind == n }) {
			t.Errorf("no case is of the kind %s", kind)
		}
	}
}

func checkRun(t *testing.T, name string, c fieldCase) {
	t.Helper()
	switch {
	case c.pkg != "":
		there := testsOf(t, c.pkg)
		for _, test := range c.tests {
			if !there[test] {
				t.Errorf("%s: %s has no %s", name, c.pkg, test)
			}
		}
	case c.command[0] == "make":
		if !there(t, "Makefile", "(?m)^"+regexp.QuoteMeta(c.command[1])+":") {
			t.Errorf("%s: make has no target %s", name, c.command[1])
		}
	default:
		if !there(t, filepath.Join("hack", c.command[1], "*.go"), "(?m)^func main") {
			t.Errorf("%s: there is no tool hack/%s", name, c.command[1])
		}
	}
}

// testsOf reads the names of a package's tests, whatever the tags of its files.
func testsOf(t *testing.T, pkg string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				found[f.Name.Name] = true
			}
		}
	}
	return found
}

func TestChoice(t *testing.T) {
	for name, tc := range map[string]struct {
		choice  choice
		want    func(fieldCase) bool
		wantErr string
	}{
		"all":               {want: func(fieldCase) bool { return true }},
		"by number":         {choice: choice{only: "3"}, want: func(c fieldCase) bool { return c.kind == 3 }},
		"by name, and more": {choice: choice{only: "PID namespaces, 0"}, want: func(c fieldCase) bool { return c.kind == 2 || c.kind == 0 }},
		"short":             {choice: choice{short: true}, want: func(c fieldCase) bool { return !c.long }},
		"no such number":    {choice: choice{only: "12"}, wantErr: "-kind 12: none of 0 to 11"},
		"no such name":      {choice: choice{only: "bites"}, wantErr: "-kind bites: none of"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tc.choice.of(cases)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Errorf("error %v, want %q", err, tc.wantErr)
				}
				return
			}
			want := 0
			for _, c := range cases {
				if tc.want(c) {
					want++
				}
			}
			if err != nil || len(got) != want || want == 0 {
				t.Errorf("%d cases, want %d (%v)", len(got), want, err)
			}
		})
	}
}
