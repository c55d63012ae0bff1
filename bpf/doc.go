// Package bpf is the engine: it loads the programs that run in the kernel,
// tells them which processes to watch, and turns what they report into
// exchanges: one finished request each.
//
// From: targets (bpf/probe.Target). To: probe.Exchange, probe.Process, books
// of what was lost. Called by the node agent and by `odi run`. Nothing is
// pinned: when the process that loaded the engine ends, everything it attached
// is gone, at the latest when a guard (bpf/guard) has emptied the socket map.
package bpf
