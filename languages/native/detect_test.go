package native_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/native"
)

func TestDetect(t *testing.T) {
	app := func(b languagetest.Binary) language.Process { return language.Process{Exe: "/app", Binary: b} }
	comment := func(text string) map[string]string { return map[string]string{".comment": text} }
	rust := language.Runtime{Language: language.Rust, Strict: true}
	rust163 := rust
	rust163.Version = "1.63.0"
	rust190 := rust
	rust190.Version = "1.90.0"
	languagetest.Run(t, native.Language, map[string]languagetest.Case{
		"no executable": {Process: language.Process{}},
		"nothing known": {Process: app(languagetest.Binary{}), Want: language.Runtime{Language: language.Native}},
		"C":             {Process: app(languagetest.Binary{Libraries: []string{"libc.so.6"}}), Want: language.Runtime{Language: language.C}},
		"C on musl":     {Process: app(languagetest.Binary{Libraries: []string{"libc.musl-x86_64.so.1"}}), Want: language.Runtime{Language: language.C}},
		"C static":      {Process: app(languagetest.Binary{Sections: comment("GCC: (Debian 12.2.0) 12.2.0")}), Want: language.Runtime{Language: language.C}},
		"C++":           {Process: app(languagetest.Binary{Libraries: []string{"libstdc++.so.6", "libc.so.6"}}), Want: language.Runtime{Language: language.CPP}},
		"C++ of LLVM":   {Process: app(languagetest.Binary{Libraries: []string{"libc++.so.1", "libc.so.6"}}), Want: language.Runtime{Language: language.CPP}},
		"C++ static":    {Process: app(languagetest.Binary{ReadOnly: "\x00St9exception\x00"}), Want: language.Runtime{Language: language.CPP}},
		"Rust by its signature": {
			Process: app(languagetest.Binary{Sections: comment("GCC: (Debian)\x00rustc version 1.90.0 (1159e78c4 2025-09-14)")}), Want: rust190,
		},
		"Rust by its panic messages": {
			Process: app(languagetest.Binary{ReadOnly: "x/rustc/1159e78c4747b02ef996e55082b704c09b970588/library/core/src/fmt/mod.rs"}), Want: rust,
		},
		"Rust of Debian": {
			Process: app(languagetest.Binary{ReadOnly: "an Err value/usr/src/rustc-1.63.0/library/std/src/io/mod.rs"}), Want: rust163,
		},
		"Rust of Fedora": {
			Process: app(languagetest.Binary{ReadOnly: "/builddir/build/BUILD/rustc-1.63.0-src/library/std/src/io/mod.rs"}), Want: rust163,
		},
		"no Rust for naming its compiler": {
			Process: app(languagetest.Binary{Sections: comment("GCC: (Debian)"), ReadOnly: "/rustcoverage"}), Want: language.Runtime{Language: language.C},
		},
		"Rust with a C++ library": {
			Process: app(languagetest.Binary{Libraries: []string{"libstdc++.so.6"}, ReadOnly: "/rustc/1159e/library"}), Want: rust,
		},
		"Swift": {
			Process: app(languagetest.Binary{Libraries: []string{"libswiftCore.so", "libc.so.6"}}),
			Want:    language.Runtime{Language: language.Swift, Strict: true},
		},
		"Swift static": {
			Process: app(languagetest.Binary{Sections: map[string]string{"swift5_typeref": ""}}),
			Want:    language.Runtime{Language: language.Swift, Strict: true},
		},
	})
}
