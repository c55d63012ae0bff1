package java_test

import (
	"strings"
	"testing"

	"github.com/odi-dev/odi/languages/java"
	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
)

func TestDetect(t *testing.T) {
	release := func(path, version string) language.Files {
		return languagetest.Files{Text: map[string]string{path: "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n"}}
	}
	languagetest.Run(t, java.Language, map[string]languagetest.Case{
		"not Java": {Process: language.Process{Exe: "/usr/bin/python3", Maps: []string{"/usr/lib/libc.so.6"}}},
		"Debian's OpenJDK": {
			Process: language.Process{
				Exe: "/usr/lib/jvm/java-17-openjdk-amd64/bin/java", Maps: []string{"/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so"},
				Files: release("/usr/lib/jvm/java-17-openjdk-amd64/release", "17.0.15"),
			},
			Want: of("17.0.15"),
		},
		"a patch of an update": {
			Process: language.Process{
				Exe: "/jdk/bin/java", Maps: []string{"/jdk/lib/server/libjvm.so"}, Files: release("/jdk/release", "17.0.21.1"),
			},
			Want: of("17.0.21.1"),
		},
		"Java 8 in a JDK": {
			Process: language.Process{
				Exe: "/opt/jdk8/bin/java", Maps: []string{"/opt/jdk8/jre/lib/amd64/server/libjvm.so"},
				Files: release("/opt/jdk8/release", "1.8.0_392"),
			},
			Want: of("8.0.392"),
		},
		"an early version": {
			Process: language.Process{Exe: "/jdk/bin/java", Maps: []string{"/jdk/lib/server/libjvm.so"}, Files: release("/jdk/release", "21-ea")},
			Want:    of("21"),
		},
		"a launcher of its own": {
			Process: language.Process{Exe: "/app/server", Maps: []string{"/app/jre/lib/server/libjvm.so"}, Files: release("/app/jre/release", "21.0.1")},
			Want:    of("21.0.1"),
		},
		"no release file": {
			Process: language.Process{Exe: "/app/server", Maps: []string{"/app/libjvm.so"}, Files: languagetest.Files{Binaries: map[string]languagetest.Binary{
				"/app/libjvm.so": {ReadOnly: "JRE (unknown)\x00 JRE (x) OpenJDK 64-Bit Server VM (11.0.2+9) for linux-amd64 JRE (11.0.2+9), built on"},
			}}},
			Want: of("11.0.2"),
		},
		"neither release file nor text": {
			Process: language.Process{Exe: "/app/server", Maps: []string{"/app/libjvm.so"}}, Want: of(""),
		},
		"the launcher before it has loaded the machine": {
			Process: language.Process{Exe: "/jdk/bin/java", Files: release("/jdk/release", "25.0.3")}, Want: of("25.0.3"),
		},
		"GraalVM native image": {
			Process: language.Process{Exe: "/app", Binary: languagetest.Binary{Sections: map[string]string{".svm_heap": ""}}},
			Want:    language.Runtime{Language: language.Java, Compiled: true},
		},
		"a release file that is not one": {
			Process: language.Process{Exe: "/jdk/bin/java", Files: languagetest.Files{Text: map[string]string{"/jdk/release": "JAVA_VERSION=\"\"\n\xff"}}},
			Want:    of(""),
		},
	})
}

// of is Java of a version; those of one digit and the unknown one do not ask again.
func of(version string) language.Runtime {
	release, _, _ := strings.Cut(version, ".")
	return language.Runtime{Language: language.Java, Version: version, AsksAgain: len(release) == 2 && release >= "13"}
}
