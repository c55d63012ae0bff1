package native

import (
	"regexp"
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the room of compiled languages.
var Language = language.Language{Name: "native", Detect: detect}

func detect(p language.Process) (language.Runtime, bool) {
	if p.Exe == "" {
		return language.Runtime{}, false
	}
	needed := p.Binary.Needed()
	if hasAny(needed, "libswiftCore.so") || p.Binary.HasSection("swift5_protocols") || p.Binary.HasSection("swift5_typeref") {
		return language.Runtime{Language: language.Swift, Strict: true}, true
	}
	if version, ok := rust(p.Binary); ok {
		// Tokio and its like move a task between threads at every await.
		return language.Runtime{Language: language.Rust, Version: version, Strict: true}, true
	}
	switch {
	case hasAny(needed, "libstdc++.so", "libc++.so"), len(needed) == 0 && hasStaticCPP(p.Binary):
		return language.Runtime{Language: language.CPP}, true
	case hasAny(needed, "libc.so", "libc.musl-"), hasCompilerOfC(p.Binary):
		return language.Runtime{Language: language.C}, true
	}
	return language.Runtime{Language: language.Native}, true
}

const (
	maxComment = 16 << 10
	// A large Rust server has 20 MiB of constants; the standard library's come last.
	maxConstants = 32 << 20
)

var (
	rustc = regexp.MustCompile(`rustc version (\d+\.\d+\.\d+)`)
	// Distributions build the compiler from a folder of its release.
	rustSource = regexp.MustCompile(`^/rustc(?:/|-(\d+\.\d+\.\d+)(?:-src)?/)`)
)

// rust looks for the compiler's signature, which most builds keep, else for the source path that the
// standard library's panic messages carry in every build, stripped or not: /rustc/<commit>/library/,
// from distributions /usr/src/rustc-<version>/library/ or the like.
func rust(b language.Binary) (version string, ok bool) {
	if m := rustc.FindSubmatch(b.Section(".comment", maxComment)); m != nil {
		return string(m[1]), true
	}
	if m := rustSource.FindSubmatch(b.Find("/rustc", len("-1.100.10-src/"), maxConstants)); m != nil {
		return string(m[1]), true
	}
	return "", false
}

// hasStaticCPP looks for the type name of std::exception, which libstdc++ and libc++ both carry.
func hasStaticCPP(b language.Binary) bool {
	return b.Find("St9exception\x00", 0, maxConstants) != nil
}

func hasCompilerOfC(b language.Binary) bool {
	comment := string(b.Section(".comment", maxComment))
	return strings.Contains(comment, "GCC") || strings.Contains(comment, "clang")
}

// hasAny says whether one of the sonames starts with one of the prefixes.
func hasAny(needed []string, prefixes ...string) bool {
	for _, soname := range needed {
		for _, prefix := range prefixes {
			if strings.HasPrefix(soname, prefix) {
				return true
			}
		}
	}
	return false
}
