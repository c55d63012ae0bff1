package others

import (
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// Language is the room of the runtimes that are known by name.
var Language = language.Language{Name: "others", Detect: detect}

func detect(p language.Process) (language.Runtime, bool) {
	switch name := p.ExeName(); {
	case strings.HasPrefix(name, "beam."): // beam.smp; its schedulers move processes between threads
		return language.Runtime{Language: language.Erlang, Strict: true}, true
	case name == "deno":
		return language.Runtime{Language: language.Deno, Strict: true}, true
	case name == "bun":
		return language.Runtime{Language: language.Bun, Strict: true}, true
	case name == "perl" || strings.HasPrefix(name, "perl5"):
		return language.Runtime{Language: language.Perl, Version: language.LeadingVersion(strings.TrimPrefix(name, "perl"))}, true
	case name == "luajit" || name == "lua" || strings.HasPrefix(name, "lua5"):
		return language.Runtime{Language: language.Lua, Version: language.LeadingVersion(strings.TrimPrefix(name, "lua"))}, true
	}
	return language.Runtime{}, false
}
