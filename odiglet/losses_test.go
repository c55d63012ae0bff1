package odiglet

import (
	"testing"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/odiglet/books"
)

// TestEveryLossHasWords: what is counted anywhere is in the table, and the kernel
// drops nothing on purpose.
func TestEveryLossHasWords(t *testing.T) {
	known := map[string]loss.Class{}
	for _, r := range loss.Reasons() {
		known[r.Name] = r.Class
	}
	counted := map[string]bool{}
	for _, name := range bpf.DropNames() {
		class, ok := known[name]
		if counted[name] = true; !ok || class == loss.Intended {
			t.Errorf("the kernel counts %s; add it to internal/loss (class %s)", name, class)
		}
	}
	for _, name := range books.Reasons() {
		if counted[string(name)] = true; known[string(name)] == loss.Incomplete {
			t.Errorf("the books count %s as dropped, the table as %s", name, loss.Incomplete)
		}
		if _, ok := known[string(name)]; !ok {
			t.Errorf("the books count %s; add it to internal/loss", name)
		}
	}
	for name := range known {
		if !counted[name] {
			t.Errorf("nothing counts %s any more", name)
		}
	}
}
