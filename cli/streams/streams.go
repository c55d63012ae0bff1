package streams

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Streams are the standard streams of one invocation. Results go to Out and
// progress to Err, so that `odi ... | jq` never sees progress.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// InTerminal says that a person can answer questions.
	InTerminal bool
	// OutTerminal says that Out may carry colour.
	OutTerminal bool
	// ErrTerminal says that progress may rewrite its own line.
	ErrTerminal bool
}

// Standard returns the streams of the process.
func Standard() Streams {
	noColour := os.Getenv("NO_COLOR") != ""
	return Streams{
		In:          os.Stdin,
		Out:         os.Stdout,
		Err:         os.Stderr,
		InTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())) && !noColour,
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
}
