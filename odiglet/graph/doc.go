// Package graph counts who asks whom: the edges of the service graph, in the metrics that the
// Collector's servicegraph connector and Tempo's generator have, of every request and before any sampling.
//
// A request is recorded by the address of its other end, which costs no question. Once per interval
// the addresses are turned into names, by a Directory and by who has served here, and what was counted goes to
// the edge between two names, below the resource of the service that saw it. Everything is bounded; no
// request is lost by it.
package graph
