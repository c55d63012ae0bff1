package recipe

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseReadsOneGoProgramOrSeveral(t *testing.T) {
	recipes, err := Parse([]byte(`
images:
- {name: "odi-demo/one:dev", go: {package: ./one}, entrypoint: [/usr/bin/one]}
- {name: "example.com:5000/two:1", go: [{package: ./a}, {package: ., module: b, to: /b}], entrypoint: [/b], firstTime: 4m}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range recipes {
		for _, program := range r.Go {
			got = append(got, r.ShortName()+" "+program.Target())
		}
	}
	if diff := cmp.Diff([]string{"one /usr/bin/one", "two /usr/bin/a", "two /b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := map[string]struct{ yaml, want string }{
		"an unknown field":               {`{images: [{name: "a:1", entrypoint: [/a], pakages: [x]}]}`, "pakages"},
		"an unknown field of a program":  {`{images: [{name: "a:1", entrypoint: [/a], go: {pkg: x}}]}`, "pkg"},
		"a name without a tag":           {`{images: [{name: "localhost:5000/a", entrypoint: [/a]}]}`, "with a tag"},
		"no entrypoint":                  {`{images: [{name: "a:1"}]}`, "entrypoint"},
		"a file that goes to a relative": {`{images: [{name: "a:1", entrypoint: [/a], files: {x: y}}]}`, "absolute"},
		"a tree that goes to a relative": {`{images: [{name: "a:1", entrypoint: [/a], trees: {x/build.sh: y}}]}`, "absolute"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(tc.yaml)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one about %q", err, tc.want)
			}
		})
	}
}
