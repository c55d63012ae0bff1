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
	// OutWidth and ErrWidth are the columns of the terminal; 0 where there is none, and
	// lines are as long as they are.
	OutWidth, ErrWidth int
}

// Standard returns the streams of the process.
func Standard() Streams {
	plain := os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	return Streams{
		In:          os.Stdin,
		Out:         os.Stdout,
		Err:         os.Stderr,
		InTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())) && !plain,
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb",
		OutWidth:    width(os.Stdout),
		ErrWidth:    width(os.Stderr),
	}
}

// width is 0 for what is no terminal, and for one that does not tell.
func width(f *os.File) int {
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
