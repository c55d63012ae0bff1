package program

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadScript(t *testing.T) {
	for what, tc := range map[string]struct {
		text string
		want Script
	}{
		"nothing":                     {"", Script{}},
		"pipes, lists, substitutions": {`lynx a | awk 1 && x=$(curl b) || ! tree`, Script{Programs: []string{"lynx", "awk", "curl", "tree"}}},
		"functions and builtins":      {`f() { lynx; }; f; cd x; [ -e y ]; echo z`, Script{Programs: []string{"lynx"}}},
		"after a variable and a word": {`A=1 env -i B=2 nice -n5 lynx curl; exec tree awk`, Script{Programs: []string{"env", "nice", "lynx", "tree"}}},
		"a path, and a computed name": {`./lynx; "$curl"`, Script{}},
		"text that looks like a call": {"cat <<'X'\nlynx\nX\necho 'curl | tree' # awk", Script{Programs: []string{"cat"}}},
		"packages of its own":         {`hack/setup.sh curl "$more"; curl`, Script{Programs: []string{"curl"}, Packages: []string{"curl", ""}}},
	} {
		got, err := ReadScript(tc.text)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if _, err := ReadScript("if"); err == nil {
		t.Error("half a script is read")
	}
	if got := scriptOf("/bin/sh", []string{"-e", "-c", "lynx"}); got != "lynx" {
		t.Errorf("sh -e -c lynx is read as %q", got)
	}
}
