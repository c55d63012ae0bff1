package odiglet

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/odi-dev/odi/bpf"
	"github.com/odi-dev/odi/internal/loss"
)

// leftOutBelow is what the engine leaves out on purpose: that it is no traffic of a user's
// only a room can read.
const leftOutBelow = loss.Name("no_messages")

// TestEveryLossIsCounted: what the engine counts is in the table, as left out on purpose
// only where nobody above could say so, and somebody counts each row.
func TestEveryLossIsCounted(t *testing.T) {
	class := map[loss.Name]loss.Class{}
	for _, r := range loss.Reasons() {
		class[r.Name] = r.Class
	}
	counted := map[loss.Name]bool{}
	for _, name := range bpf.DropNames() {
		name := loss.Name(name)
		if counted[name] = true; class[name] == "" || (class[name] == loss.Intended) != (name == leftOutBelow) {
			t.Errorf("the kernel counts %s, which the table has as %q", name, class[name])
		}
	}
	code := source(t, "*.go", "*/*.go")
	for _, constant := range regexp.MustCompile(`(\w+) +Name = "(\w+)"`).FindAllStringSubmatch(source(t, "../internal/loss/loss.go"), -1) {
		counted[loss.Name(constant[2])] = regexp.MustCompile(`loss\.` + constant[1] + `\b`).MatchString(code)
	}
	for name := range class {
		if !counted[name] {
			t.Errorf("nothing counts %s any more", name)
		}
	}
}

// source is the code of some files, without tests.
func source(t *testing.T, patterns ...string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}
