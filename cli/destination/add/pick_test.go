package add

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/odi-dev/odi/cli/streams"
	"github.com/odi-dev/odi/destinations"
)

// TestAPersonFindsAType by its name, by a word, and after a mistake; what follows is read by the next question.
func TestAPersonFindsAType(t *testing.T) {
	for typed, want := range map[string]struct{ name, told string }{
		"jaeger":               {"jaeger", ""},
		"new relic":            {"newrelic", "newrelic: New Relic\n"},
		"honeycmb\nhoneycomb":  {"honeycomb", "did you mean honeycomb?"},
		"grafana\nloki":        {"loki", "grafanacloudloki"},
		"\ndebug":              {"debug", "victoriametricscloud"},
		"no such thing\ndebug": {"debug", "odi destination types lists all"},
	} {
		var told bytes.Buffer
		lines := bufio.NewReader(strings.NewReader(typed + "\nnext\n"))
		got, err := pick(t.Context(), streams.Streams{Err: &told, InTerminal: true}, lines)
		if err != nil || got.Name != want.name || !strings.Contains(told.String(), want.told) {
			t.Errorf("%q: got %s, %v, and was told\n%s", typed, got.Name, err, told.String())
		}
		for line := range strings.Lines(told.String()) {
			if len(strings.TrimSuffix(line, "\n")) > width && !strings.Contains(line, "lists all") {
				t.Errorf("%q: %d columns: %s", typed, len(line), line)
			}
		}
		if next, _ := lines.ReadString('\n'); next != "next\n" {
			t.Errorf("%q: the next answer is %q", typed, next)
		}
	}
}

// TestHelpIsNarrow but for addresses and their like, which are one word.
func TestHelpIsNarrow(t *testing.T) {
	types, err := destinations.Types()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range types {
		for line := range strings.SplitSeq(long(typ)+"\n"+Example(typ), "\n") {
			if len(line) > width && strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, "://") {
				t.Errorf("%s: %d columns: %s", typ.Name, len(line), line)
			}
		}
	}
}
