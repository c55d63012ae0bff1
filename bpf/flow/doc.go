// Package flow says how the TCP connections of watched processes are doing: the kernel sums
// up, per process and peer, what opens, fails, is reset and retransmitted, and this reads it.
// It is no protocol room: encrypted connections count like any other. For the engine.
package flow
