package progress

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/odi-dev/odi/cli/streams"
)

// TestLinesThatAreRewrittenFitTheTerminal: of one that takes two lines, only the second would be replaced.
func TestLinesThatAreRewrittenFitTheTerminal(t *testing.T) {
	var out bytes.Buffer
	s := &screen{io: streams.Streams{Err: &out, ErrTerminal: true, ErrWidth: 40}}
	items := []Item{{Name: "deployment cart", Text: "waits for its language to be known, to choose an agent – élan"}}
	s.show(items)
	s.show(items)
	for line := range strings.SplitSeq(strings.TrimSuffix(out.String(), "\n"), "\n") {
		line = strings.NewReplacer("\x1b[2K", "", "\x1b[1A", "").Replace(line)
		if n := utf8.RuneCountInString(line); n != 40 || !strings.HasSuffix(line, "…") {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	out.Reset()
	s = &screen{io: streams.Streams{Err: &out}}
	s.show(items)
	if !strings.Contains(out.String(), "élan") {
		t.Errorf("outside of a terminal a line is cut: %q", out.String())
	}
}
