package run

import (
	"fmt"
	"strings"

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

func (s *session) printBooks() {
	fmt.Fprintln(s.io.Err, sentence(s.odiglet.Balance()))
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
