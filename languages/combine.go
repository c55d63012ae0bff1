package languages

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/odi-dev/odi/languages/language"
)

// precedence decides between the applications of one container: what gets an agent wins over what does not,
// because small compiled programs often start bigger ones.
var precedence = []language.Name{
	language.Java, language.Dotnet, language.Python, language.Nodejs, language.PHP, language.Ruby, language.Erlang,
	language.Go, language.Deno, language.Bun, language.Rust, language.Swift, language.CPP, language.C,
	language.Perl, language.Lua, language.Native,
}

// Combine says what a container runs, from all its processes, whatever their order: an application before a
// server, a server before a helper; then by language, by number of processes, by the higher version.
// AT_SECURE and the other agents are those of any process.
func Combine(runtimes []language.Runtime) language.Runtime {
	kinds := group(runtimes)
	if len(kinds) == 0 {
		return language.Runtime{}
	}
	slices.SortFunc(kinds, compareKinds)
	chosen := kinds[0].runtime
	for _, rt := range runtimes {
		chosen.Secure = chosen.Secure || rt.Secure
		chosen.Agents = mergeAgents(chosen.Agents, rt.Agents)
	}
	return chosen
}

// kind is a runtime and how many processes run it.
type kind struct {
	runtime language.Runtime
	count   int
}

func group(runtimes []language.Runtime) []kind {
	var kinds []kind
	for _, rt := range runtimes {
		if !rt.Known() {
			continue
		}
		rt.Secure, rt.Agents = false, nil
		i := slices.IndexFunc(kinds, func(k kind) bool { return same(k.runtime, rt) })
		if i < 0 {
			kinds = append(kinds, kind{runtime: rt, count: 1})
			continue
		}
		kinds[i].count++
	}
	return kinds
}

func same(a, b language.Runtime) bool {
	return a.Language == b.Language && a.Version == b.Version && a.Server == b.Server && a.Libc == b.Libc &&
		a.Compiled == b.Compiled && a.Helper == b.Helper && a.EventLoop == b.EventLoop && a.Strict == b.Strict
}

// compareKinds orders by everything that same looks at, so that equal input in another order gives the same.
func compareKinds(a, b kind) int {
	return cmp.Or(
		compareBool(a.runtime.Helper, b.runtime.Helper),
		compareBool(a.runtime.Server != "", b.runtime.Server != ""),
		cmp.Compare(rank(a.runtime.Language), rank(b.runtime.Language)),
		cmp.Compare(b.count, a.count),
		compareVersions(b.runtime.Version, a.runtime.Version),
		cmp.Compare(a.runtime.Server, b.runtime.Server),
		cmp.Compare(a.runtime.Libc, b.runtime.Libc),
		compareBool(a.runtime.Compiled, b.runtime.Compiled),
		compareBool(b.runtime.EventLoop, a.runtime.EventLoop),
		compareBool(b.runtime.Strict, a.runtime.Strict),
	)
}

func rank(name language.Name) int {
	if i := slices.Index(precedence, name); i >= 0 {
		return i
	}
	return len(precedence)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// compareVersions compares number by number; what is not a number compares as text.
func compareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, errX := strconv.Atoi(as[i])
		y, errY := strconv.Atoi(bs[i])
		c := cmp.Compare(x, y)
		if errX != nil || errY != nil {
			c = cmp.Compare(as[i], bs[i])
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}
