package charts_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRenderedPolicies holds the admission policies, which only an API server that has the kind gets.
func TestRenderedPolicies(t *testing.T) {
	const kind = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
	manifests, err := render(t, "v1.36.3", map[string]any{"excludedNamespaces": []any{"payments"}}, kind)
	if err != nil {
		t.Fatal(err)
	}
	var policies []string
	for document := range strings.SplitSeq(manifests, "---\n") {
		if strings.Contains(document, "\nkind: ValidatingAdmissionPolicy") {
			policies = append(policies, document)
		}
	}
	got, path := strings.Join(policies, "---\n"), filepath.Join("testdata", "policies.yaml")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("policies (-want +got); -update writes them:\n%s", diff)
	}
}
