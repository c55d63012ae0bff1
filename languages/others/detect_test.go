package others_test

import (
	"testing"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/language/languagetest"
	"github.com/odi-dev/odi/languages/others"
)

func TestDetect(t *testing.T) {
	languagetest.Run(t, others.Language, map[string]languagetest.Case{
		"none of these": {Process: language.Process{Exe: "/usr/bin/perlbrew"}},
		"Erlang":        {Process: language.Process{Exe: "/usr/lib/erlang/erts-13.1.5/bin/beam.smp"}, Want: language.Runtime{Language: language.Erlang, Strict: true}},
		"Deno":          {Process: language.Process{Exe: "/usr/bin/deno"}, Want: language.Runtime{Language: language.Deno, Strict: true}},
		"Bun":           {Process: language.Process{Exe: "/usr/local/bin/bun"}, Want: language.Runtime{Language: language.Bun, Strict: true}},
		"Perl":          {Process: language.Process{Exe: "/usr/bin/perl5.36.0"}, Want: language.Runtime{Language: language.Perl, Version: "5.36.0"}},
		"Lua":           {Process: language.Process{Exe: "/usr/bin/lua5.4"}, Want: language.Runtime{Language: language.Lua, Version: "5.4"}},
	})
}
