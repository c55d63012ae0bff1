package program

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// builtins are the commands of bash that start nothing.
var builtins = strings.Fields(". : [ break cd command continue declare echo eval exec exit export false kill let local " +
	"mapfile printf pwd read return set shift shopt source test trap true type unset wait")

// prefixes start the command that follows their options.
var prefixes = []string{"env", "exec", "nice", "xargs"}

// Script is what a shell script starts.
type Script struct {
	// Programs are those that it starts by name, in the order of their calls.
	Programs []string
	// Packages are those that it installs with hack/setup.sh.
	Packages []string
}

// ReadScript reads a script of bash or sh. Names that it computes are not seen.
func ReadScript(text string) (Script, error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return Script{}, fmt.Errorf("reading a shell script: %w", err)
	}
	functions := map[string]bool{}
	syntax.Walk(file, func(n syntax.Node) bool {
		if f, ok := n.(*syntax.FuncDecl); ok {
			functions[f.Name.Value] = true
		}
		return true
	})
	var s Script
	syntax.Walk(file, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CallExpr); ok {
			s.add(c.Args, functions)
		}
		return true
	})
	return s, nil
}

// add adds what one command starts.
func (s *Script) add(words []*syntax.Word, functions map[string]bool) {
	for i, word := range words {
		name := word.Lit()
		if i > 0 && (strings.HasPrefix(name, "-") || strings.Contains(name, "=")) {
			continue // an option of a prefix
		}
		if name == "hack/setup.sh" {
			for _, argument := range words[i+1:] {
				s.Packages = append(s.Packages, argument.Lit())
			}
		}
		if !functions[name] && isProgram(name) {
			s.Programs = append(s.Programs, name)
		}
		if !slices.Contains(prefixes, name) {
			return
		}
	}
}

// isProgram says whether a first word is looked for in the PATH.
func isProgram(word string) bool {
	return word != "" && !slices.Contains(builtins, word) && !strings.Contains(word, "/")
}

// scriptOf returns the script that a command gives to a shell, or "".
func scriptOf(name string, args []string) string {
	if !slices.Contains([]string{"sh", "bash", "dash"}, filepath.Base(name)) {
		return ""
	}
	if at := slices.Index(args, "-c"); at >= 0 && at+1 < len(args) {
		return args[at+1]
	}
	return ""
}
