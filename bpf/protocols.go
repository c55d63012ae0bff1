package bpf

import (
	"github.com/odi-dev/odi/bpf/http1"
	"github.com/odi-dev/odi/bpf/probe"
)

// Protocols lists the protocol rooms: what exchanges are decoded by.
func Protocols() []probe.Protocol {
	return []probe.Protocol{http1.Protocol}
}
