package golang

import (
	"os"

	"github.com/odi-dev/odi/internal/procfs/elf"
)

// handlers are the functions in which a goroutine of its own serves a stream of HTTP/2: of
// net/http before Go 1.27, and since, and of golang.org/x/net.
var handlers = []string{
	"net/http.(*http2serverConn).runHandler",
	"net/http/internal/http2.(*serverConn).runHandler",
	"golang.org/x/net/http2.(*serverConn).runHandler",
}

// handlersOf places the probes of those that there are.
func handlersOf(exe *os.File, bin *elf.File, found []function) (all []uint64) {
	for _, fn := range found {
		if at, ok := placed(exe, bin, fn); ok {
			all = append(all, at)
		}
	}
	return all
}

// placed returns the file offset for a probe where the arguments of a function are in
// registers; false: there is no such function, or it is not understood.
func placed(exe *os.File, bin *elf.File, fn function) (uint64, bool) {
	if fn.addr == 0 {
		return 0, false
	}
	at, err := probeOffset(exe, bin, fn)
	return at, err == nil
}
