package build

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/hack/cluster/cache"
)

// script fills its folder with what it read, and counts how often it ran.
const script = `#!/bin/sh
set -e
mkdir -p "$1/lib"
cat lines.txt > "$1/lib/lines"
echo run >> "$RUNS"
`

func TestTreeRunsItsScriptOncePerContentOfItsFolder(t *testing.T) {
	root := t.TempDir()
	runs := filepath.Join(t.TempDir(), "runs")
	t.Setenv("RUNS", runs)
	b := Builder{Root: root, Cache: cache.Dir(t.TempDir())}
	write(t, filepath.Join(root, "agents/x/build.sh"), script)
	steps := []struct {
		file, content string
		wantRuns      int
	}{
		{"lines.txt", "one", 1},
		{"x_test.go", "a test", 1},
		{"testdata/lines.txt", "data of a test", 1},
		{"__pycache__/x.pyc", "left by a test", 1},
		{"lines.txt", "two", 2},
		{"lines.txt", "one", 2},
		{"sub/other.txt", "more", 3},
	}
	for _, step := range steps {
		write(t, filepath.Join(root, "agents/x", step.file), step.content)
		p := parts{files: map[string]string{}}
		if err := b.addTree(t.Context(), p, "agents/x/build.sh", "/agent"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"/agent/lib/lines"}, slices.Collect(maps.Keys(p.files))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		want, err := os.ReadFile(filepath.Join(root, "agents/x/lines.txt"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(p.files["/agent/lib/lines"])
		if err != nil || string(got) != string(want) {
			t.Errorf("after writing %s: the tree has %q, %v; want %q", step.file, got, err, want)
		}
		counted, err := os.ReadFile(runs)
		if got := strings.Count(string(counted), "run"); err != nil || got != step.wantRuns {
			t.Errorf("after writing %s: the script ran %d times, %v; want %d", step.file, got, err, step.wantRuns)
		}
	}
}

func TestTreeOfAScriptThatFailsIsNotKept(t *testing.T) {
	root := t.TempDir()
	b := Builder{Root: root, Cache: cache.Dir(t.TempDir())}
	write(t, filepath.Join(root, "agents/x/build.sh"), "#!/bin/sh\necho half > \"$1/half\"\nexit 3\n")
	for range 2 {
		if dir, err := b.Tree(t.Context(), "agents/x/build.sh"); err == nil || !strings.Contains(err.Error(), "agents/x/build.sh") {
			t.Errorf("got %s and error %v, want one that names the script", dir, err)
		}
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}
