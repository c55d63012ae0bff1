package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/odi-dev/odi/cli/exit"
)

func TestValuesMerge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte("manager: {replicas: 2, logLevel: debug}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		values   Values
		stdin    string
		want     map[string]any
		wantExit int
	}{
		"no flag is no value": {want: map[string]any{}},
		"a single value wins over a file": {
			values: Values{files: []string{file}, set: []string{"manager.replicas=3"}},
			want:   map[string]any{"manager": map[string]any{"replicas": int64(3), "logLevel": "debug"}},
		},
		"a dash is stdin": {
			values: Values{files: []string{"-"}},
			stdin:  "nodeIsolation: false",
			want:   map[string]any{"nodeIsolation": false},
		},
		"a value without = is bad input": {values: Values{set: []string{"manager"}}, wantExit: exit.Usage},
		"a missing file is bad input":    {values: Values{files: []string{"/nowhere.yaml"}}, wantExit: exit.Usage},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := tc.values.Merge(strings.NewReader(tc.stdin))
			if exit.Code(err) != tc.wantExit {
				t.Fatalf("exit code %d, want %d (%v)", exit.Code(err), tc.wantExit, err)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}
