package run

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/odi-dev/odi/cli/streams"
)

// outputs are the streams of a session. A reader that leaves (odi run ... | head)
// ends it in good order; by itself, the signal for that would kill odi on the spot
// and leave the command running without it.
type outputs struct {
	// out and err are the streams as they are: a command writes to the same files.
	out, err io.Writer
	// gone is closed once one of them takes no more.
	gone chan struct{}

	once sync.Once
	why  error
}

// watchOutputs replaces Out and Err of the streams by ones that notice it. The
// function returned gives the signal back.
func watchOutputs(io *streams.Streams) (o *outputs, stop func()) {
	o = &outputs{out: io.Out, err: io.Err, gone: make(chan struct{})}
	io.Out, io.Err = watched{o, io.Out}, watched{o, io.Err}
	// Taken, not ignored: a command would inherit that. Writing gives EPIPE then.
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	return o, func() { signal.Stop(pipes) }
}

// watched is one of the streams.
type watched struct {
	of *outputs
	to io.Writer
}

// Write implements io.Writer.
func (w watched) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	if err != nil {
		w.of.once.Do(func() {
			w.of.why = err
			close(w.of.gone)
		})
	}
	return n, err
}

// readerLeft says that nobody reads the output any more.
func (o *outputs) readerLeft() bool {
	select {
	case <-o.gone:
		return errors.Is(o.why, syscall.EPIPE)
	default:
		return false
	}
}
