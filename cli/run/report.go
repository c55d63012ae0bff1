package run

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/odi-dev/odi/cli/output"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
)

// printLadder names the features that this kernel does not have in full.
func (s *session) printLadder() {
	for _, f := range s.odiglet.Features() {
		if f.Reason != "" {
			fmt.Fprintf(s.io.Err, "%s is %s: %s\n", f.Name, strings.ToLower(string(f.State)), f.Reason)
		}
	}
}

// printBooks says what became of every request; the last line is the sum.
func (s *session) printBooks() {
	balance := s.odiglet.Balance()
	_, _, parts := s.odiglet.Lost()
	for _, line := range reasonLines(balance, parts, s.odiglet.Whose) {
		fmt.Fprintln(s.io.Err, line)
	}
	fmt.Fprintln(s.io.Err, sentence(balance))
}

// reasonLines says in words, one line per reason, which requests gave no span, or
// one without a part, and whose they were where that is known.
func reasonLines(b books.Balance, parts map[string]uint64, whose func(loss.Name) map[string]uint64) []string {
	var lines []string
	line := func(n uint64, name loss.Name) {
		if n == 0 {
			return
		}
		why := loss.Of(name)
		text := fmt.Sprintf("%s %s: %s", requests(n), why.Class.Words(), why.Words)
		if of := output.Worst(whose(name)); of != "" {
			text += "; of " + of
		}
		lines = append(lines, text+" ("+string(name)+")")
	}
	for _, reason := range b.Reasons() {
		line(b.Dropped[reason], reason)
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		line(parts[name], loss.Name(name))
	}
	return lines
}

func requests(n uint64) string {
	if n == 1 {
		return "1 request was"
	}
	return fmt.Sprintf("%d requests were", n)
}

// sentence is the books in one line. Nothing is queued at the end; if it were,
// it would be a loss that nobody counted, so it is named.
func sentence(b books.Balance) string {
	text := fmt.Sprintf("seen %d = sent %d + dropped %d", b.Seen, b.Sent, b.DroppedTotal())
	if b.Queued > 0 {
		text += fmt.Sprintf(" + unaccounted %d", b.Queued)
	}
	var why []string
	for _, reason := range b.Reasons() {
		why = append(why, fmt.Sprintf("%s %d", reason, b.Dropped[reason]))
	}
	if len(why) > 0 {
		text += " (" + strings.Join(why, ", ") + ")"
	}
	return text
}
