package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"github.com/odi-dev/odi/internal/testkit/program"
)

// builtins are the commands of bash that the scripts use.
var builtins = strings.Fields(". : [ break cd command continue declare echo eval exec exit export false kill let local " +
	"mapfile printf pwd read return set shift shopt source test trap true type unset wait")

// prefixes start the command that follows their options.
var prefixes = []string{"env", "exec", "nice", "xargs"}

// TestScriptsStartProgramsOfPackages looks at the first words of all commands in scripts and make's
// recipes. A script may install packages of its own with hack/setup.sh; where this machine lacks
// these, their programs cannot be looked up.
func TestScriptsStartProgramsOfPackages(t *testing.T) {
	checked := 0
	for path, text := range scripts(t) {
		file, err := syntax.NewParser().Parse(strings.NewReader(text), path)
		if err != nil {
			t.Errorf("reading %s: %v", path, err)
			continue
		}
		names, packages := commands(file)
		for _, name := range names {
			checked++
			err := program.Check(t, name, packages...)
			if err == nil || len(packages) > 0 && missing(name) {
				continue
			}
			t.Errorf("%s starts %v", path, err)
		}
	}
	if checked < 20 {
		t.Errorf("found %d commands; the search is broken", checked)
	}
}

// missing says whether no folder of packages has the program.
func missing(name string) bool {
	for folder := range strings.SplitSeq(program.Folders, ":") {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			return false
		}
	}
	return true
}

// commands returns the programs that a script starts by name, and the packages that it installs.
func commands(file *syntax.File) (names, packages []string) {
	functions := map[string]bool{}
	syntax.Walk(file, func(n syntax.Node) bool {
		if f, ok := n.(*syntax.FuncDecl); ok {
			functions[f.Name.Value] = true
		}
		return true
	})
	syntax.Walk(file, func(n syntax.Node) bool {
		c, ok := n.(*syntax.CallExpr)
		if !ok || len(c.Args) == 0 {
			return true
		}
		if c.Args[0].Lit() == "hack/setup.sh" {
			for _, word := range c.Args[1:] {
				packages = append(packages, word.Lit())
			}
		}
		for i, word := range c.Args {
			name := word.Lit()
			first := i == 0 || slices.Contains(prefixes, c.Args[0].Lit()) && !strings.HasPrefix(name, "-") && !strings.Contains(name, "=")
			if first && name != "" && !functions[name] && !slices.Contains(builtins, name) && !strings.Contains(name, "/") {
				names = append(names, name)
			}
			if first && i > 0 {
				break
			}
		}
		return true
	})
	return names, packages
}

// scripts returns the repository's shell scripts and make's recipes by path.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	top, found := root(t), map[string]string{}
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == "bin" || name == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil || !d.Type().IsRegular() || d.Name() != "Makefile" && info.Mode()&0o111 == 0 {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, path)
		switch text := string(content); {
		case d.Name() == "Makefile":
			found[rel] = recipes(text)
		case shebang.MatchString(text):
			found[rel] = text
		}
		return err
	})
	if err != nil || len(found) < 8 {
		t.Fatalf("found %d scripts; the walk is broken (%v)", len(found), err)
	}
	return found
}

var (
	shebang  = regexp.MustCompile(`^#!.*\b(ba)?sh\b`)
	variable = regexp.MustCompile(`\$\((\w+)\)`)
	assigned = regexp.MustCompile(`(?m)^(\w+) *[:?]?= *(.*)$`)
)

// recipes turns a Makefile into a script of its recipes.
func recipes(text string) string {
	values := map[string]string{}
	for _, m := range assigned.FindAllStringSubmatch(text, -1) {
		values[m[1]] = m[2]
	}
	var script strings.Builder
	for line := range strings.Lines(text) {
		command, ok := strings.CutPrefix(line, "\t")
		if !ok {
			continue
		}
		for variable.MatchString(command) {
			command = variable.ReplaceAllStringFunc(command, func(v string) string { return values[v[2:len(v)-1]] })
		}
		script.WriteString(strings.NewReplacer("$$", "$", "$(shell ", "$(").Replace(strings.TrimLeft(command, "@-+")))
	}
	return script.String()
}
