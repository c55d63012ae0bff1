package main

import (
	"slices"

	"github.com/odi-dev/odi/hack/prove/stage"
)

// gaps are what docs/seen.md says is not seen rightly: conversations with one of these
// features are left out, unless -gaps is given.
var gaps = features{
	// Its process gets no headers from then on, so that the others would prove less.
	"client sends by sendmmsg",
	// Which message was sent is not told for sure where one was sent in part: rarely
	// counted as unreadable.
	"server sends by sendmmsg",
}

// leftGaps are those of Unix sockets where the kernel does not tell of their close: a
// client that leaves without having read all is not told of by a server that does not
// read on; bodies that end with the connection are counted short. Where buffers are small
// both sides may wait for room, and neither read: seen once, and odi only looks on there.
var leftGaps = features{"end: client leaves", "end: body until close", "small SO_SNDBUF"}

// strangerGaps are those of Unix sockets where one side is a stranger, who tells nothing.
var strangerGaps = features{"end: server dies inside", "end: server dies by RST", "end: server says nothing", "end: client abandons"}

// gapsOf are those of one cast.
func gapsOf(cast stage.Cast) features {
	all := slices.Clone(gaps)
	if cast.Family != "unix" {
		return all
	}
	all = append(all, leftGaps...)
	if cast.Traced.Client && cast.Traced.Server {
		return all
	}
	return append(all, strangerGaps...)
}
