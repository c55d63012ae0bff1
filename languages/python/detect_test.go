package python_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/python"
)

func TestDetect(t *testing.T) {
	languagetest.Run(t, python.Language, map[string]languagetest.Case{
		"not Python":               {Process: language.Process{Exe: "/usr/bin/node", Maps: []string{"/app/python.txt"}}},
		"a name that starts alike": {Process: language.Process{Exe: "/usr/bin/pythonista"}},
		"by name, text unknown":    {Process: language.Process{Exe: "/usr/bin/python3.11"}, Want: runtime("3.11")},
		"with its own text": {
			Process: language.Process{Exe: "/usr/bin/python3.11", Binary: languagetest.Binary{ReadOnly: "\x003.11.\x00\x003.11.2\x00strict"}},
			Want:    runtime("3.11.2"),
		},
		"the text is the end of the prefix": {
			Process: language.Process{Exe: "/opt/python/3.12.1/bin/python3.12", Binary: languagetest.Binary{ReadOnly: "/opt/python/3.12.1/lib\x00/opt/python/3.12.1\x00x"}},
			Want:    runtime("3.12.1"),
		},
		"a candidate": {
			Process: language.Process{Exe: "/usr/bin/python3.13", Binary: languagetest.Binary{ReadOnly: "\x003.13.0rc2\x00"}},
			Want:    runtime("3.13.0rc2"),
		},
		"a shared library": {
			Process: language.Process{
				Exe: "/usr/local/bin/python3.11", Maps: []string{"/usr/local/lib/libpython3.11.so.1.0"},
				Files: languagetest.Files{Binaries: map[string]languagetest.Binary{"/usr/local/lib/libpython3.11.so.1.0": {ReadOnly: "\x003.11.9\x00"}}},
			},
			Want: runtime("3.11.9"),
		},
		"uWSGI":                 {Process: language.Process{Exe: "/usr/bin/uwsgi-core", Maps: []string{"/usr/lib/libpython3.9.so.1.0"}}, Want: runtime("3.9")},
		"PyInstaller":           {Process: language.Process{Exe: "/app/server", Maps: []string{"/tmp/_MEIx/libpython3.10.so.1.0"}}, Want: runtime("3.10")},
		"PyPy":                  {Process: language.Process{Exe: "/opt/pypy3.10", Maps: []string{"/opt/libpypy3.10-c.so"}}, Want: runtime("3.10")},
		"a free-threaded build": {Process: language.Process{Exe: "/usr/bin/python3.13t"}, Want: runtime("3.13")},
		"a plain name, version from an extension": {
			Process: language.Process{Exe: "/usr/bin/python", Maps: []string{"/usr/lib/python3.8/lib-dynload/_json.cpython-38-x86_64-linux-gnu.so"}},
			Want:    runtime("3.8"),
		},
		"a plain name and nothing else": {Process: language.Process{Exe: "/usr/bin/python3"}, Want: runtime("3")},
		"a debugger with plugins":       {Process: language.Process{Exe: "/usr/bin/gdb", Maps: []string{"/usr/lib/libpython3.11.so.1.0"}}},
	})
}

func runtime(version string) language.Runtime {
	return language.Runtime{Language: language.Python, Version: version}
}
