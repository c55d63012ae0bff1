package languages

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/odi-dev/odi/languages/language"
	"github.com/odi-dev/odi/languages/otheragent"
	"github.com/odi-dev/odi/languages/server"
)

// plainVersion is what may leave this package as a version: it was read from files that anybody may have made.
var plainVersion = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+_-]{0,62}$`)

// Detect says what a process runs. The result is not Known if no room recognises it.
func Detect(p language.Process) language.Runtime {
	rt := ask(p)
	if !plainVersion.MatchString(rt.Version) {
		rt.Version = ""
	}
	rt.Libc = libc(p)
	rt.Secure = p.Secure
	if rt.Server == "" {
		rt.Server = server.Name(p, rt.Language)
	}
	rt.Helper = isHelper(p)
	rt.Agents = mergeAgents(rt.Agents, otheragent.Find(p, rt.Language))
	return rt
}

func ask(p language.Process) language.Runtime {
	for _, room := range All {
		if rt, ok := room.Detect(p); ok {
			return rt
		}
	}
	return language.Runtime{}
}

// libc goes by what is mapped before it believes the interpreter: on Alpine a glibc program runs on musl by
// way of a compatibility library.
func libc(p language.Process) language.Libc {
	if _, ok := p.Mapped("ld-musl-"); ok {
		return language.Musl
	}
	interp := path.Base(p.Binary.Interp())
	switch {
	case strings.HasPrefix(interp, "ld-musl-"):
		return language.Musl
	case strings.HasPrefix(interp, "ld-linux"), strings.HasPrefix(interp, "ld64.so"), strings.HasPrefix(interp, "ld.so."):
		return language.Glibc
	case p.Binary.Interp() != "", !p.Binary.HasSections():
		return language.LibcUnknown
	}
	return language.Static
}

// mergeAgents joins two lists by name; seen loaded once is loaded.
func mergeAgents(a, b []language.Agent) []language.Agent {
	merged := slices.Concat(a, b)
	slices.SortFunc(merged, func(x, y language.Agent) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		if x.Loaded == y.Loaded {
			return 0
		}
		if x.Loaded {
			return -1
		}
		return 1
	})
	return slices.CompactFunc(merged, func(x, y language.Agent) bool { return x.Name == y.Name })
}
