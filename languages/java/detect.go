package java

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the Java room.
var Language = language.Language{Name: "java", Detect: detect, Inject: inject, SendsLogs: true, Agents: []language.Release{
	{Version: "2.33.1-odi.1", From: "8"},
}}

func detect(p language.Process) (language.Runtime, bool) {
	if jvm, ok := p.MappedFunc(func(name string) bool { return name == "libjvm.so" }); ok {
		return of(version(p.Files, jvm)), true
	}
	// The launcher maps libjvm a few milliseconds after exec.
	if p.ExeName() == "java" || slices.Contains(p.Binary.Needed(), "libjli.so") {
		return of(releaseVersion(p.Files, p.Exe)), true
	}
	if p.Binary.HasSection(".svm_heap") {
		return language.Runtime{Language: language.Java, Compiled: true}, true
	}
	return language.Runtime{}, false
}

// nioSockets is the first release whose blocking sockets ask again (JEP 353).
const nioSockets = 13

// of is the runtime of a version.
func of(version string) language.Runtime {
	first, _, _ := strings.Cut(version, ".")
	release, err := strconv.Atoi(first)
	return language.Runtime{Language: language.Java, Version: version, AsksAgain: err == nil && release >= nioSockets}
}

// version asks the release file of the Java home that libjvm lies in, else libjvm itself.
func version(files language.Files, jvm string) string {
	if v := releaseVersion(files, jvm); v != "" {
		return v
	}
	// "OpenJDK 64-Bit Server VM (17.0.15+6) for linux-amd64 JRE (17.0.15+6), built on ..."
	const mark, maxRead = " JRE (", 32 << 20 // libjvm has 20 MiB, constants first
	found := files.Binary(jvm).FindFunc(mark, 32, maxRead, func(hit []byte) bool {
		return newVersion.Match(hit[len(mark):])
	})
	if found == nil {
		return ""
	}
	return modern(string(found[len(mark):]))
}

var javaVersion = regexp.MustCompile(`(?m)^JAVA_VERSION="([^"]{1,40})"`)

// releaseVersion looks for the release file in the directories above a file of a Java home: libjvm is two
// to four levels deep (lib/server, jre/lib/amd64/server), the launcher one.
func releaseVersion(files language.Files, inside string) string {
	const levels, maxRelease = 6, 64 << 10
	dir := path.Dir(inside)
	for range levels {
		if dir == "/" || dir == "." {
			return ""
		}
		b, err := files.Read(path.Join(dir, "release"), maxRelease)
		if m := javaVersion.FindSubmatch(b); err == nil && m != nil {
			return modern(string(m[1]))
		}
		dir = path.Dir(dir)
	}
	return ""
}

var (
	oldVersion = regexp.MustCompile(`^1\.(\d+)\.0(?:_(\d+))?`)
	// newVersion has four numbers where an update was patched, as 17.0.21.1, and vendors may add more.
	newVersion = regexp.MustCompile(`^\d+(?:\.\d+){0,5}`)
)

// modern writes the versions before Java 9 as the later ones are written: 1.8.0_392 is 8.0.392.
func modern(v string) string {
	m := oldVersion.FindStringSubmatch(v)
	switch {
	case m == nil:
		return newVersion.FindString(v)
	case m[2] == "":
		return m[1]
	}
	return m[1] + ".0." + m[2]
}
