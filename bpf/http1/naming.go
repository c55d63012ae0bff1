package http1

import (
	"bytes"

	"github.com/odi-dev/odi/bpf/probe"
)

// Names gives what names a request, as naming.h does: what comes before the query of its first line,
// with the byte that ends it, and for a client the value of its first Host. False: such requests are
// told of one by one.
func Names(to *probe.Names, head []byte, client bool) bool {
	if !take(to.Name[:], head, true) || bytes.IndexByte(to.Name[:], ' ') <= 0 || bytes.HasPrefix(head, []byte("CONNECT ")) || bytes.HasPrefix(head, []byte("PROXY ")) {
		return false
	}
	return !client || take(to.Host[:], valueOfHost(head), false) && len(bytes.Trim(to.Host[:], " \r\x00")) > 0
}

// take copies a text with the byte that ends it: the carriage return of a line's end, or the question mark of a query.
func take(to, from []byte, query bool) bool {
	for i, c := range from[:min(len(from), len(to))] {
		to[i] = c
		switch {
		case query && c == '?':
			return true
		case c == '\r':
			return i+1 < len(from) && from[i+1] == '\n'
		}
		if c < ' ' {
			return false
		}
	}
	return false
}

// valueOfHost is what follows the name of the first header Host; nil: there is none.
func valueOfHost(head []byte) []byte {
	const name = "host:"
	for {
		_, rest, more := bytes.Cut(head, []byte{'\n'})
		if !more {
			return nil
		}
		if head = rest; len(head) >= len(name) && bytes.EqualFold(head[:len(name)], []byte(name)) {
			return head[len(name):]
		}
	}
}
