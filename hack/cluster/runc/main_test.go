package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpec(t *testing.T) {
	tests := map[string]struct {
		args              []string
		wantPath, wantKey string
	}{
		"create":                 {[]string{"runc", "--root", "/r", "create", "--bundle", "/b", "--pid-file", "/p", "id"}, "/b/config.json", "process"},
		"exec":                   {[]string{"runc", "exec", "--process", "/tmp/p.json", "id"}, "/tmp/p.json", ""},
		"a command without spec": {[]string{"runc", "delete", "id"}, "", ""},
		"a flag without a value": {[]string{"runc", "--bundle"}, "", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if path, key := spec(tc.args); path != tc.wantPath || key != tc.wantKey {
				t.Errorf("got %q, %q; want %q, %q", path, key, tc.wantPath, tc.wantKey)
			}
		})
	}
}

func TestEditRemovesOnlyTheCapabilitiesThatAreMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	const before = `{"ociVersion":"1.2.0","process":{"capabilities":{"bounding":["CAP_BPF","CAP_SYS_RESOURCE"],"effective":["CAP_SYS_RESOURCE"]},"cwd":"/"}}`
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := edit(file, "process", []string{"CAP_SYS_RESOURCE"}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"ociVersion":"1.2.0","process":{"capabilities":{"bounding":["CAP_BPF"],"effective":[]},"cwd":"/"}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
