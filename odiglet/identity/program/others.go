package program

import (
	"cmp"
	"slices"
	"strings"
)

var perl = family{exes: []string{"perl"}, name: nameOfPerl}

// perlOptions are those of Perl 5 (perl -h); most take only what is joined.
var perlOptions = grammar{together: true, letters: "I", joined: "0CdDFilmMxV", code: []string{"-e", "-E"}}

// perlServers serve the application that they are given.
var perlServers = []string{"starman", "plackup", "starlet", "twiggy", "feersum", "hypnotoad", "morbo", "uwsgi"}

func nameOfPerl(c context) string {
	f := perlOptions.find(c.words)
	if f.kind != file {
		return ""
	}
	name := withoutEnding(f.word)
	if !slices.Contains(perlServers, name) {
		return c.orPlace(name, f.word)
	}
	for i := len(f.rest) - 1; i >= 0; i-- { // their options are many; the application comes last
		if w := f.rest[i]; strings.HasSuffix(w, ".psgi") || strings.HasSuffix(w, ".pl") || i == len(f.rest)-1 && strings.Contains(w, "/") {
			return cmp.Or(c.notGeneric(c.orPlace(withoutEnding(w), w)), name)
		}
	}
	return cmp.Or(c.dir(), name)
}

var dotnet = family{exes: []string{"dotnet"}, name: nameOfDotnet}

// dotnetOptions are those of the host, and of run and exec (dotnet --help).
var dotnetOptions = grammar{values: []string{
	"--additionalprobingpath", "--additional-deps", "--depsfile", "--runtimeconfig", "--fx-version", "--roll-forward", "--roll-forward-on-no-candidate-fx",
	"-c", "--configuration", "-f", "--framework", "-r", "--runtime", "-a", "--arch", "--os", "-p", "--project", "--launch-profile", "-lp", "-v", "--verbosity",
	"--urls", "--property", "--file", "-e", "--environment", "--artifacts-path",
}}

func nameOfDotnet(c context) string {
	f := dotnetOptions.find(c.words)
	if f.kind == file && (f.word == "exec" || f.word == "watch") {
		f = dotnetOptions.find(f.rest)
	}
	if f.kind != file {
		return ""
	}
	if f.word == "run" {
		f = dotnetOptions.find(f.rest)
		if project := f.option("--project", "-p", "--file"); project != "" {
			return c.orPlace(withoutEnding(project), project)
		}
		return c.dir()
	}
	if strings.HasSuffix(f.word, ".dll") || strings.HasSuffix(f.word, ".exe") || strings.HasSuffix(f.word, ".cs") {
		return c.orPlace(withoutEnding(f.word), f.word)
	}
	return "" // build, test, publish: the tool itself
}

var beam = family{exes: []string{"beam.smp", "beam", "beam.debug.smp"}, name: nameOfBeam}

// nameOfBeam is the name of the node, which a release has, else that of the project.
func nameOfBeam(c context) string {
	for i, w := range c.words[:max(0, len(c.words)-1)] {
		if w == "-name" || w == "-sname" || w == "--name" || w == "--sname" {
			name, _, _ := strings.Cut(c.words[i+1], "@")
			return name
		}
	}
	return c.dir()
}
