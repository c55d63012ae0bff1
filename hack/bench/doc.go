// Command bench measures what odi costs and loses, on this machine, as root.
//
// It runs a trivial Go HTTP server and a Go client on one core each, over
// keep-alive connections, with and without `odi run` beside them, alternately.
// The suite scale starts many idle processes instead, and programs that nobody
// selects. The suite protocols has servers and clients of each protocol, and programs
// that nobody selects. The suite agents runs an application each in Java, Python and Node.js
// alone, with eBPF, with odi's agent, and with the plain one of its language, which
// the OpenTelemetry Operator injects.
//
// It prints `name value unit` lines, writes bench/SUITE.json and fails where a
// figure misses its limit. Called by `make bench-engine`, `bench-scale`,
// `bench-protocols` and `bench-agents`.
package main
