package output

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	for name, tc := range map[string]struct {
		text          string
		width, indent int
		want          []string
	}{
		"no terminal":             {"one two three four five six seven eight", 0, 0, []string{"one two three four five six seven eight"}},
		"it fits":                 {"one two", 40, 4, []string{"one two"}},
		"between words":           {"one two three four five six seven eight", 24, 4, []string{"one two three four", "five six seven eight"}},
		"a long word stays whole": {"see https://example.test/a/very/long/address now", 24, 0, []string{"see", "https://example.test/a/very/long/address", "now"}},
		"the name of this program is no command": {"odi: odi describe needs <kind>/<name>; see odi describe --help", 40, 0,
			[]string{"odi: odi describe needs <kind>/<name>;", "see odi describe --help"}},
		"a command stays whole": {"It is off; to switch it on: odi instrument deployment/cart -n shop", 40, 4,
			[]string{"It is off; to switch it on:", "odi instrument deployment/cart -n shop"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Wrap(tc.text, tc.width, tc.indent)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

var wideTable = Table{
	Columns: []string{"pod", "container", "pid", "attached", "client spans linked", "problem"},
	Rows: [][]string{
		{"cart-5d9f8c7b6d-abcde", "cart", "4711", "yes", "3 of 4", ""},
		{"cart-5d9f8c7b6d-fghij", "cart", "4712", "no", "", "the process has ended before a probe could be attached to it"},
	},
}

func TestTablesFitTheTerminal(t *testing.T) {
	for _, width := range []int{200, 80, 60} {
		var out bytes.Buffer
		if err := wideTable.Print(Page{Writer: &out, Width: width}, FormatTable); err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(out.String(), "\n") {
			if utf8.RuneCountInString(line) > width || strings.HasSuffix(line, " ") {
				t.Errorf("a line of %d columns in a terminal of %d: %q", utf8.RuneCountInString(line), width, line)
			}
		}
		for _, word := range []string{"ended", "before", "attached", "4711", "fghij"} {
			if !strings.Contains(out.String(), word) {
				t.Errorf("at %d columns %q is broken or lost:\n%s", width, word, out.String())
			}
		}
	}
}

// TestManyColumns: nine of them fit into 80 columns, however long the names.
func TestManyColumns(t *testing.T) {
	table := Table{Columns: []string{"namespace", "name", "type", "ready", "exporting", "sent", "failed", "queued", "age"}, Rows: [][]string{
		{"odi-system", "a-very-long-name-of-a-destination-for-the-team", "grafanacloud", "True", "False (ExportRefused)", "123456", "0", "789", "18s"},
	}}
	var out bytes.Buffer
	if err := table.Print(Page{Writer: &out, Width: 80}, FormatTable); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(out.String(), "\n") {
		if utf8.RuneCountInString(line) > 80 {
			t.Errorf("a line of %d columns: %q", utf8.RuneCountInString(line), line)
		}
	}
}

func TestTablesForProgramsAreOneLineARow(t *testing.T) {
	var out bytes.Buffer
	if err := wideTable.Print(Page{Writer: &out, Colour: false}, FormatTable); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 3 || !strings.Contains(lines[1], "3 of 4                -") {
		t.Errorf("got\n%s", out.String())
	}
}

func TestColourIsForTerminals(t *testing.T) {
	var plain, coloured bytes.Buffer
	for _, page := range []Page{{Writer: &plain, Width: 80}, {Writer: &coloured, Width: 80, Colour: true}} {
		if err := wideTable.Print(page, FormatTable); err != nil {
			t.Fatal(err)
		}
		page.Line("  "+page.Paint(Green, "✓")+" ", "done")
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Errorf("colour where there is none: %q", plain.String())
	}
	if diff := cmp.Diff(plain.String(), unpainted(coloured.String())); diff != "" {
		t.Errorf("colours move something (-plain +coloured):\n%s", diff)
	}
	if !strings.Contains(coloured.String(), "\x1b[32myes\x1b[0m") || !strings.Contains(coloured.String(), "\x1b[31mno\x1b[0m") {
		t.Errorf("yes and no have no colours: %q", coloured.String())
	}
}
