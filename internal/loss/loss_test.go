package loss

import (
	"os"
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

// TestTheDocsHaveTheTable keeps docs/losses.md true.
func TestTheDocsHaveTheTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/losses.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), Table()) {
		t.Errorf("docs/losses.md lacks this table:\n%s", Table())
	}
}
