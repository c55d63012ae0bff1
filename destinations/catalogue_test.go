package destinations

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// TestEveryTypeIsRenderedAsItWas renders each type twice: with what it needs alone,
// and with a sample for every field. A new type's files come with -update.
func TestEveryTypeIsRenderedAsItWas(t *testing.T) {
	const dir = "testdata/rendered"
	known := map[string]bool{}
	for _, typ := range allTypes(t) {
		known[typ.Name+".yaml"] = true
		t.Run(typ.Name, func(t *testing.T) {
			var got strings.Builder
			got.WriteString("# What it needs.\n" + rendered(t, typ, false))
			if all := rendered(t, typ, true); !strings.HasSuffix(got.String(), all) {
				got.WriteString("---\n# All of it.\n" + all)
			}
			file := filepath.Join(dir, typ.Name+".yaml")
			if *update {
				if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; -update writes it", err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !known[file.Name()] {
			t.Errorf("%s is no type's", file.Name())
		}
	}
}

func rendered(t *testing.T, typ Type, every bool) string {
	t.Helper()
	config, secrets := typ.Samples(every)
	if err := typ.Check(config, secrets); err != nil {
		t.Fatalf("the samples are not valid: %v", err)
	}
	references := map[string]string{}
	for _, name := range secrets {
		references[name] = "${secret:" + name + "}"
	}
	var text strings.Builder
	for _, e := range typ.Render(config, references, nil) {
		signals := joined(e.Signals)
		part, err := yaml.Marshal(map[string]any{e.Type + " of " + signals: e.Config})
		if err != nil {
			t.Fatal(err)
		}
		text.Write(part)
	}
	return text.String()
}

// TestEveryTypeIsTold holds what people need of each: what to write, where to get it.
func TestEveryTypeIsTold(t *testing.T) {
	const atLeast = 75
	types := allTypes(t)
	if len(types) < atLeast {
		t.Errorf("there are %d types, not %d", len(types), atLeast)
	}
	titles := map[string]string{}
	for _, typ := range types {
		if other, twice := titles[typ.Title]; twice {
			t.Errorf("%s and %s have one title", other, typ.Name)
		}
		titles[typ.Title] = typ.Name
		for _, text := range append([]string{typ.Note}, helps(typ)...) {
			if text != "" && !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q is not a sentence", typ.Name, text)
			}
		}
	}
}

func helps(typ Type) []string {
	var texts []string
	for _, f := range typ.Fields {
		texts = append(texts, f.Help)
	}
	return texts
}

func BenchmarkTypesAreRead(b *testing.B) {
	for b.Loop() {
		if _, err := readAll(); err != nil {
			b.Fatal(err)
		}
	}
}
