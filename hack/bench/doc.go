// Command bench measures what odi costs and loses, on this machine, as root.
//
// It runs a trivial Go HTTP server and a Go client on one core each, over
// keep-alive connections, with and without `odi run` beside them, alternately.
// It prints `name value unit` lines, writes bench/engine.json and fails where a
// figure misses its limit. Called by `make bench-engine`.
package main
