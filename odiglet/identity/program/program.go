package program

import (
	"path"
	"slices"
	"strings"
	"unicode"
)

const (
	// maxWords bounds what is looked at of a command line, which is hostile; a class
	// path is one word.
	maxWords = 1000
	// maxName is longer than any name that a person would give.
	maxName = 100
	// maxWraps bounds wrappers in wrappers.
	maxWraps = 8
)

// Command is what a process runs.
type Command struct {
	// Exe is the path of the executable, Args the command line with argv[0].
	Exe  string
	Args []string
	// Files may be nil: then the command line alone counts.
	Files Files
}

// Files is the file system as the process sees it. Everything in it is hostile.
type Files interface {
	// Dir is the working directory; empty if it cannot be told.
	Dir() string
	// Read returns the beginning of a regular file, or nil.
	Read(path string) []byte
}

// family is a kind of program that says by its arguments what it really runs.
type family struct {
	// exes are the names of executables, without a version behind them.
	exes []string
	// name finds the name; empty: the arguments do not tell.
	name func(c context) string
}

// families lists them all; no executable belongs to two.
func families() []family {
	return []family{python, uwsgi, node, java, ruby, php, phpFPM, perl, dotnet, deno, bun, beam, shell}
}

// context is one command line that is being read.
type context struct {
	words []string // behind argv[0]
	argv0 string
	files Files
	wraps int
}

// Name is what people call the process.
func Name(c Command) string {
	if name := Told(c); name != "" {
		return name
	}
	return clean(path.Base(c.Exe))
}

// Told is the name that the arguments tell, and empty where they name no program
// of their own: code on the command line, a rewritten title, an interpreter alone.
// Programs that take no program are told by their executable.
func Told(c Command) string {
	words := c.Args[:min(len(c.Args), maxWords)]
	at := context{files: c.Files}
	if len(words) > 0 {
		at.argv0, at.words = words[0], words[1:]
	}
	return clean(at.told(path.Base(c.Exe)))
}

// told reads the arguments of an executable.
func (c context) told(exe string) string {
	bare := withoutVersion(exe)
	for _, f := range families() {
		for _, known := range f.exes {
			if known == bare {
				return f.name(c)
			}
		}
	}
	if slices.Contains(multicall, bare) {
		return c.nameOfApplet(exe)
	}
	if w, ok := wrappers[bare]; ok {
		return c.unwrap(w, exe)
	}
	if linked, ok := links[exe]; ok {
		return linked
	}
	return exe
}

// links are the names that executables are started by which tell something else as a file.
var links = map[string]string{
	"redis-check-rdb":  "redis-server", // in Debian
	"valkey-check-rdb": "valkey-server",
}

// withoutVersion takes 3.11 off python3.11 and leaves s3 alone where it is all.
func withoutVersion(exe string) string {
	return strings.TrimRight(exe, "0123456789.-")
}

// clean makes a name of what a process wrote: one line, printable, not too long.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.TrimSpace(name)
	if runes := []rune(name); len(runes) > maxName {
		name = string(runes[:maxName])
	}
	if name == "." || name == "/" {
		return ""
	}
	return name
}
