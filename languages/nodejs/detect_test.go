package nodejs_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/nodejs"
)

func TestDetect(t *testing.T) {
	const text = "x/node-vNEXT https://nodejs.org/download/release/v20.20.2/node-v20.20.2.tar.gz\x00"
	exports := []string{"_ZN4node5StartEiPPc"}
	header := languagetest.Files{Text: map[string]string{
		"/usr/include/node/node_version.h": "#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 3\n#define NODE_PATCH_VERSION 0\n",
	}}
	languagetest.Run(t, nodejs.Language, map[string]languagetest.Case{
		"not Node.js":                  {Process: language.Process{Exe: "/usr/bin/python3"}},
		"version from the header":      {Process: language.Process{Exe: "/usr/bin/node", Files: header}, Want: runtime("22.3.0")},
		"version from the text":        {Process: language.Process{Exe: "/app/node", Binary: languagetest.Binary{ReadOnly: text}}, Want: runtime("20.20.2")},
		"version unknown":              {Process: language.Process{Exe: "/usr/bin/nodejs"}, Want: runtime("")},
		"a packed application":         {Process: language.Process{Exe: "/app/shop", Binary: languagetest.Binary{Symbols: exports, ReadOnly: text}}, Want: runtime("20.20.2")},
		"Bun imitates it":              {Process: language.Process{Exe: "/usr/bin/bun", Binary: languagetest.Binary{Symbols: exports}}},
		"Deno imitates it":             {Process: language.Process{Exe: "/usr/bin/deno", Binary: languagetest.Binary{Symbols: exports}}},
		"an application called nodeps": {Process: language.Process{Exe: "/usr/bin/nodeps"}},
		"a shared library": {
			Process: language.Process{
				Exe: "/usr/bin/node", Maps: []string{"/usr/lib/x86_64-linux-gnu/libnode.so.108"},
				Files: languagetest.Files{Binaries: map[string]languagetest.Binary{"/usr/lib/x86_64-linux-gnu/libnode.so.108": {ReadOnly: "/node-v18.19.0.tar.gz"}}},
			},
			Want: runtime("18.19.0"),
		},
	})
}

func runtime(version string) language.Runtime {
	return language.Runtime{Language: language.Nodejs, Version: version, Strict: true}
}
