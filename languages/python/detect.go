package python

import (
	"bytes"
	"path"
	"regexp"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the Python room.
var Language = language.Language{
	Name: "python", Detect: detect, Inject: inject,
	// The version of OpenTelemetry's instrumentations in agents/python/requirements.txt, and of odi's part.
	Agents: []language.Release{{Version: "0.66b1-odi.1", From: "3.10", Below: "3.16"}},
}

var (
	exeName   = regexp.MustCompile(`^(?:python|pypy)(\d(?:\.\d{1,2})?)?[dmt]?(?:-[a-z]+)?$`)
	library   = regexp.MustCompile(`^lib(?:python|pypy)(\d\.\d{1,2})[^/]*\.so`)
	extension = regexp.MustCompile(`/(?:python|pypy)(\d\.\d{1,2})/`)
)

func detect(p language.Process) (language.Runtime, bool) {
	name := exeName.FindStringSubmatch(p.ExeName())
	lib, embedded := p.MappedFunc(library.MatchString)
	if name == nil && !embedded || name == nil && hosts(p.ExeName()) {
		return language.Runtime{}, false
	}
	minor := minorVersion(p, name, lib)
	rt := language.Runtime{Language: language.Python, Version: minor}
	interpreter := p.Binary
	if embedded {
		interpreter = p.Files.Binary(lib)
	}
	if full := patchVersion(interpreter, minor); full != "" {
		rt.Version = full
	}
	return rt, true
}

// hosts names programs that load Python for their plugins only.
func hosts(exe string) bool {
	switch exe {
	case "gdb", "vim", "nvim", "perf":
		return true
	}
	return false
}

// minorVersion takes 3.11 from the library's name, the executable's name, or a loaded extension's path.
func minorVersion(p language.Process, name []string, lib string) string {
	if m := library.FindStringSubmatch(path.Base(lib)); m != nil {
		return m[1]
	}
	if name != nil && len(name[1]) > 1 {
		return name[1]
	}
	for _, file := range p.Maps {
		if m := extension.FindStringSubmatch(file); m != nil {
			return m[1]
		}
	}
	if name != nil {
		return name[1]
	}
	return ""
}

// patchVersion finds the interpreter's own version text, a C string like "3.11.7". Where the installation
// prefix ends in the same (/opt/python/3.11.7), the linker has stored the two as one.
func patchVersion(b language.Binary, minor string) string {
	if len(minor) < len("3.1") {
		return ""
	}
	const maxRead = 16 << 20 // CPython's constants have 1 to 4 MiB
	for _, before := range []string{"\x00", "/"} {
		found := b.FindFunc(before+minor+".", 12, maxRead, func(hit []byte) bool { return cVersion(hit[1:]) != "" })
		if found != nil {
			return cVersion(found[1:])
		}
	}
	return ""
}

var wholeVersion = regexp.MustCompile(`^\d\.\d{1,2}\.\d{1,2}(?:(?:a|b|rc)\d{1,2})?\+?$`)

func cVersion(b []byte) string {
	text, _, ended := bytes.Cut(b, []byte{0})
	if !ended || !wholeVersion.Match(text) {
		return ""
	}
	return string(text)
}
