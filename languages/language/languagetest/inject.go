package languagetest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"

	"github.com/odi-dev/odi/languages/language"
)

var update = flag.Bool("update", false, "write what the golden files want")

// container is the file container.yaml of a golden: what a room is told.
type container struct {
	Version string              `json:"version,omitempty"`
	Libc    language.Libc       `json:"libc,omitempty"`
	Env     []language.Variable `json:"env,omitempty"`
	Hidden  []string            `json:"hidden,omitempty"`
	Words   []string            `json:"words,omitempty"`
}

// result is the file want.yaml: the environment afterwards, or why it stays as it is.
type result struct {
	Env       []language.Variable `json:"env,omitempty"`
	Objection *language.Objection `json:"objection,omitempty"`
}

// Goldens injects the agent of a language into the container of every testdata/inject/*.txtar, whose first line
// is the sentence that it holds, compares with what it wants, and injects once more, which must change nothing.
func Goldens(t *testing.T, l language.Language) {
	t.Helper()
	files, err := filepath.Glob("testdata/inject/*.txtar")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %d goldens (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil || len(archive.Files) != 2 {
				t.Fatalf("%s has %d files, want container.yaml and want.yaml (%v)", file, len(archive.Files), err)
			}
			var c container
			if err := yaml.UnmarshalStrict(archive.Files[0].Data, &c); err != nil {
				t.Fatal(err)
			}
			got, again := twice(t, l, c)
			if got != again {
				t.Errorf("injected twice it is\n%snot\n%s", again, got)
			}
			if *update {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(archive.Files[1].Data); got != want {
				t.Errorf("%sgot\n%swant\n%s", archive.Comment, got, want)
			}
		})
	}
}

func twice(t *testing.T, l language.Language, c container) (first, second string) {
	t.Helper()
	in := language.Injection{
		Root: language.Root(l.Name, language.Release{Version: "1.2.3-odi.1"}), Version: c.Version, Libc: c.Libc,
		Env: c.Env, Hidden: c.Hidden, Words: c.Words,
	}
	once := func() string {
		edits, objection := l.Inject(in)
		if objection != nil && len(edits) > 0 {
			t.Errorf("it objects (%s) and changes %v", objection.Reason, edits)
		}
		in.Env = language.Apply(in.Env, edits)
		text, err := yaml.Marshal(result{in.Env, objection})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	before := slices.Clone(in.Env)
	first, second = once(), once()
	if !slices.Equal(before, c.Env) {
		t.Error("it changed what it was given")
	}
	return first, second
}
