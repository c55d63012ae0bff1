// Command bench measures what odi costs and loses, on this machine, as root.
//
// It runs a trivial Go HTTP server and a Go client on one core each, over
// keep-alive connections, with and without `odi run` beside them, alternately.
// The suite scale starts many idle processes instead, and programs that nobody
// selects.
//
// It prints `name value unit` lines, writes bench/SUITE.json and fails where a
// figure misses its limit. Called by `make bench-engine` and `make bench-scale`.
package main
