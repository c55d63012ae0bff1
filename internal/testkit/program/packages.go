package program

import (
	"bufio"
	"io"
	"strings"
)

// pkg is what the database of dpkg says of an installed package.
type pkg struct {
	name, architecture string
	// everywhere says that every Debian has it: it is essential or required, or installs the others.
	everywhere bool
	// depends has a row of alternatives for each dependency.
	depends  [][]string
	provides []string
}

// readPackages reads the installed packages of a status file.
func readPackages(status io.Reader) ([]pkg, error) {
	var found []pkg
	fields := map[string]string{}
	last := ""
	end := func() {
		if strings.HasSuffix(fields["Status"], " installed") {
			found = append(found, parsed(fields))
		}
		fields, last = map[string]string{}, ""
	}
	lines := bufio.NewScanner(status)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		name, value, ok := strings.Cut(line, ":")
		switch {
		case line == "":
			end()
		case line[0] == ' ' || line[0] == '\t':
			fields[last] += line
		case ok:
			fields[name], last = strings.TrimSpace(value), name
		}
	}
	end()
	return found, lines.Err()
}

func parsed(fields map[string]string) pkg {
	p := pkg{name: fields["Package"], architecture: fields["Architecture"]}
	p.everywhere = fields["Essential"] == "yes" || fields["Priority"] == "required" || p.name == "apt"
	for row := range strings.SplitSeq(fields["Pre-Depends"]+","+fields["Depends"], ",") {
		var alternatives []string
		for alternative := range strings.SplitSeq(row, "|") {
			if name := bare(alternative); name != "" {
				alternatives = append(alternatives, name)
			}
		}
		if alternatives != nil {
			p.depends = append(p.depends, alternatives)
		}
	}
	for provided := range strings.SplitSeq(fields["Provides"], ",") {
		if name := bare(provided); name != "" {
			p.provides = append(p.provides, name)
		}
	}
	return p
}

// bare takes the version and the architecture from a name: "libc6:amd64 (>= 2.36)".
func bare(relation string) string {
	name, _, _ := strings.Cut(strings.TrimSpace(relation), " ")
	name, _, _ = strings.Cut(name, "(")
	name, _, _ = strings.Cut(name, ":")
	return name
}

// closure returns the installed packages that a machine has which installs the wanted ones and
// nothing else. Of alternatives only the first counts: another one that is here may have come by hand.
// What a package recommends does not count either, since `make setup` leaves it out.
func closure(installed []pkg, wanted []string) map[string]bool {
	byName, providers := map[string][]pkg{}, map[string][]string{}
	todo := append([]string(nil), wanted...)
	for _, p := range installed {
		byName[p.name] = append(byName[p.name], p)
		for _, name := range p.provides {
			providers[name] = append(providers[name], p.name)
		}
		if p.everywhere {
			todo = append(todo, p.name)
		}
	}
	seen := map[string]bool{}
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[name] {
			continue
		}
		if byName[name] == nil { // A virtual package, or one that is not installed.
			todo = append(todo, providers[name]...)
		}
		seen[name] = byName[name] != nil
		for _, p := range byName[name] {
			for _, alternatives := range p.depends {
				todo = append(todo, alternatives[0])
			}
		}
	}
	return seen
}
