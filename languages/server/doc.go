// Package server recognises known servers: infrastructure that other people wrote. They are instrumented by
// eBPF and never get an agent.
package server
