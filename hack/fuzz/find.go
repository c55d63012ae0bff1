package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// listed is a package as `go list` tells of it.
type listed struct {
	Dir, ImportPath           string
	TestGoFiles, XTestGoFiles []string
}

// fuzzed is a package with fuzz targets.
type fuzzed struct {
	dir, path string
	targets   []string
}

// declared is how a target begins.
var declared = regexp.MustCompile(`(?m)^func (Fuzz\w*)\(\w+ \*testing\.F\)`)

// find lists the packages of the module that have targets. It is an error when there are too few.
func (r run) find(ctx context.Context) ([]fuzzed, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=Dir,ImportPath,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir, cmd.Stderr = r.dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing packages: %w", err)
	}
	var found []fuzzed
	count := 0
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var p listed
		if err := decoder.Decode(&p); err != nil {
			return nil, fmt.Errorf("listing packages: %w", err)
		}
		targets, err := p.targets()
		if err != nil {
			return nil, err
		}
		if len(targets) > 0 {
			found = append(found, fuzzed{dir: p.Dir, path: p.ImportPath, targets: targets})
			count += len(targets)
		}
	}
	if count < r.least {
		return nil, fmt.Errorf("found %d targets, there must be %d: the search is broken", count, r.least)
	}
	return found, nil
}

// targets reads the tests that are compiled here.
func (p listed) targets() ([]string, error) {
	var names []string
	for _, files := range [][]string{p.TestGoFiles, p.XTestGoFiles} {
		for _, name := range files {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				return nil, fmt.Errorf("reading tests: %w", err)
			}
			for _, m := range declared.FindAllSubmatch(text, -1) {
				names = append(names, string(m[1]))
			}
		}
	}
	return names, nil
}

// chosen leaves the targets that are wanted, by their package and name.
func chosen(packages []fuzzed, only *regexp.Regexp) []fuzzed {
	var some []fuzzed
	for _, p := range packages {
		var wanted []string
		for _, name := range p.targets {
			if only.MatchString(p.path + "." + name) {
				wanted = append(wanted, name)
			}
		}
		if len(wanted) > 0 {
			some = append(some, fuzzed{dir: p.dir, path: p.path, targets: wanted})
		}
	}
	return some
}
