package progress

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/odi-dev/odi/cli/streams"
)

// Item is one thing that is waited for.
type Item struct {
	Name string
	Done bool
	// Text says how far it is, for example "1 of 2 nodes".
	Text string
	// Failed means that waiting longer is useless; Text says why.
	Failed bool
}

// Poll looks once at everything that is waited for.
type Poll func(context.Context) ([]Item, error)

// interval between two looks: short enough that a person sees no lag, long
// enough that the API server does not notice.
const interval = 500 * time.Millisecond

// ErrTimeout is returned, wrapped, when the time was up.
var ErrTimeout = errors.New("timed out")

// Wait polls until every item is done, one failed, or the timeout is over. The
// error then names the item that is not done and what it said.
func Wait(ctx context.Context, io streams.Streams, timeout time.Duration, poll Poll) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	screen := &screen{io: io}
	for {
		items, err := poll(ctx)
		if err != nil {
			return err
		}
		screen.show(items)
		open, all := unfinished(items)
		if all || open.Failed {
			return outcome(open, all)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("%w after %s: %s is not ready: %s", ErrTimeout, timeout, open.Name, strings.TrimSuffix(open.Text, "."))
		case <-ticker.C:
		}
	}
}

func outcome(open Item, all bool) error {
	if all {
		return nil
	}
	return fmt.Errorf("%s: %s", open.Name, open.Text)
}

// unfinished is the first failed item, else the first that is not done; all says there is none.
func unfinished(items []Item) (open Item, all bool) {
	all = true
	for _, item := range items {
		if item.Failed {
			return item, false
		}
		if !item.Done && all {
			open, all = item, false
		}
	}
	return open, all
}

// screen remembers what is shown.
type screen struct {
	io    streams.Streams
	lines []string
}

func (s *screen) show(items []Item) {
	lines := make([]string, len(items))
	width := 0
	for _, item := range items {
		width = max(width, len(item.Name))
	}
	for i, item := range items {
		lines[i] = strings.TrimRight(fmt.Sprintf("%s %-*s  %s", mark(item), width, item.Name, item.Text), " ")
	}
	if s.io.ErrTerminal {
		s.redraw(lines)
	} else {
		s.append(lines)
	}
	s.lines = lines
}

func mark(item Item) string {
	switch {
	case item.Failed:
		return "✗"
	case item.Done:
		return "✓"
	default:
		return "·"
	}
}

// redraw replaces the block drawn before.
func (s *screen) redraw(lines []string) {
	if len(s.lines) > 0 {
		fmt.Fprintf(s.io.Err, "\x1b[%dA", len(s.lines))
	}
	for _, line := range lines {
		fmt.Fprintf(s.io.Err, "\x1b[2K%s\n", shortened(line, s.io.ErrWidth))
	}
	for range len(s.lines) - len(lines) {
		fmt.Fprint(s.io.Err, "\x1b[2K\n")
	}
}

// shortened keeps a line in one line of the terminal: what takes two would not be replaced whole.
func shortened(line string, width int) string {
	runes := []rune(line)
	if width < 2 || len(runes) <= width {
		return line
	}
	return string(runes[:width-1]) + "…"
}

// append writes the lines that are new.
func (s *screen) append(lines []string) {
	old := make(map[string]bool, len(s.lines))
	for _, line := range s.lines {
		old[line] = true
	}
	for _, line := range lines {
		if !old[line] {
			fmt.Fprintln(s.io.Err, line)
		}
	}
}
