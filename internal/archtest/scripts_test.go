package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/odi-dev/odi/internal/testkit/program"
)

// TestScriptsStartProgramsOfPackages looks at the first words of all commands in scripts and make's
// recipes. A script may install packages of its own with hack/setup.sh; where this machine lacks
// these, their programs cannot be looked up.
func TestScriptsStartProgramsOfPackages(t *testing.T) {
	checked := 0
	for path, text := range scripts(t) {
		script, err := program.ReadScript(text)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, name := range script.Programs {
			checked++
			err := program.Check(t, name, script.Packages...)
			if err == nil || len(script.Packages) > 0 && missing(name) {
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
