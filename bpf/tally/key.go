package tally

import "github.com/odi-dev/odi/bpf/probe"

// Key is struct tally_key of exchange/tally.h: all that the metrics of a request depend on, but what
// it took and moved.
type Key struct {
	PID      uint32
	Turn     uint32 // of the target; 0: none
	Peer     [16]byte
	Port     uint16 // of the server
	Family   uint16
	Status   uint16
	Role     uint8
	Fault    uint8
	Protocol uint8
	TLS      uint8
	Link     uint8
	_        [5]byte
	probe.Names
}
