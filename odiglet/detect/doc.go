// Package detect says what a live process runs: language, version, libc, other agents, container, and the
// identity of its executable.
//
// It adapts /proc (internal/procfs) to the language rooms (languages). The odiglet calls it for every process
// of a selected container, `odi run` for its targets. Right after exec an interpreter may not have loaded its
// libraries yet: look again about a second later, and whenever the executable changed.
package detect
