package destinations

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path"
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

// TestNoValueLeadsElsewhere tries, in every field that is no address, what could
// change where an address leads: what is taken changes no more than a part of it.
func TestNoValueLeadsElsewhere(t *testing.T) {
	nasty := []string{
		"evil.com", "evil.com/", "evil.com#", "evil.com?", "evil.com:1", "x@evil.com", "x:y@evil.com", "//evil.com", "\\evil.com", "evil.com%2f",
		"..", "../..", "a/b", "%2e%2e", ".", "a.b.c", "-", "~", "a~b", "${env:HOME}", "{{endpoint}}", "x y", "[::1]", "127.0.0.1", "1",
	}
	tried := 0
	for _, typ := range allTypes(t) {
		config, secrets := typ.Samples(false)
		before := origins(t, typ, config)
		for _, f := range typ.Fields {
			if f.Secret || f.Address != "" {
				continue
			}
			for _, value := range nasty {
				with := maps.Clone(config)
				with[f.Name] = value
				if typ.Check(with, secrets) != nil {
					continue
				}
				tried++
				for key, after := range origins(t, typ, with) {
					was := before[key]
					if after.Scheme != was.Scheme || after.Port() != was.Port() || after.User != nil || after.RawQuery != "" || after.Fragment != "" ||
						domain(after.Hostname()) != domain(was.Hostname()) || strings.Count(after.Path, "/") != strings.Count(was.Path, "/") || path.Clean(after.Path) != strings.TrimSuffix(after.Path, "/") && after.Path != "" {
						t.Errorf("%s: %s=%s leads from %s to %s", typ.Name, f.Name, value, was, after)
					}
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d values were taken, which is too few to say anything", tried)
	}
}

// origins are the addresses of a type's exporters.
func origins(t *testing.T, typ Type, config map[string]string) map[string]*url.URL {
	t.Helper()
	found := map[string]*url.URL{}
	for i, e := range typ.Render(config, nil, nil) {
		for key, value := range e.Config {
			if text, ok := value.(string); ok && strings.HasSuffix(key, "endpoint") {
				parsed, err := url.Parse(text)
				if err != nil {
					t.Fatalf("%s: %v", typ.Name, err)
				}
				found[fmt.Sprint(i, key)] = parsed
			}
		}
	}
	return found
}

// domain is the part of a host's name that is somebody's.
func domain(host string) string {
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
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
