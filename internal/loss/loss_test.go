package loss

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReasonsAreSentences(t *testing.T) {
	seen := map[Name]bool{}
	for _, r := range Reasons() {
		if seen[r.Name] || string(r.Name) != strings.ToLower(string(r.Name)) || len(strings.Fields(r.Words)) < 4 || strings.HasSuffix(r.Words, ".") {
			t.Errorf("reason %+v", r)
		}
		seen[r.Name] = true
	}
}

func TestOnly(t *testing.T) {
	counts := map[string]uint64{"ring_full": 2, "unparsable": 1, "health_check": 3, "truncated": 0, "a_new_one": 4}
	want := map[string]uint64{"ring_full": 2, "unparsable": 1, "a_new_one": 4}
	if diff := cmp.Diff(want, Only(Lost, counts)); diff != "" {
		t.Errorf("lost (-want +got):\n%s", diff)
	}
	if got := Of("a_new_one").Words; got != "a new one" {
		t.Errorf("words %q", got)
	}
}

var update = flag.Bool("update", false, "write the table into docs/losses.md")

// TestTheDocsHaveTheTable keeps docs/losses.md true.
func TestTheDocsHaveTheTable(t *testing.T) {
	const page = "../../docs/losses.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	old := regexp.MustCompile(`(?m)(^\|.*\n)+`)
	if n := len(old.FindAll(text, -1)); n != 1 {
		t.Fatalf("%s has %d tables, want one", page, n)
	}
	want := old.ReplaceAllLiteral(text, []byte(Table()))
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("%s; go test ./internal/loss -update writes it (-want +got):\n%s", page, diff)
	}
}
