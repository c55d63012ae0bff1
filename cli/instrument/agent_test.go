package instrument

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

func TestAgentFlag(t *testing.T) {
	for name, tc := range map[string]struct {
		values  []string
		want    agents
		problem string
	}{
		"an image":                  {values: []string{"dotnet=r.test/a/dotnet:1"}, want: agents{{Language: "dotnet", Image: "r.test/a/dotnet:1"}}},
		"the last one counts":       {values: []string{"dotnet=r.test/a:1", "dotnet=r.test/a:2"}, want: agents{{Language: "dotnet", Image: "r.test/a:2"}}},
		"a language without one":    {values: []string{"go=1"}, problem: "there is no agent for go; there are agents for "},
		"no version":                {values: []string{"dotnet"}, problem: "it is <language>=<version> or <language>=<image>"},
		"a version that nobody has": {values: []string{"dotnet=9"}, problem: "odi brings no agent for dotnet; name an image"},
	} {
		t.Run(name, func(t *testing.T) {
			var got agents
			var err error
			for _, value := range tc.values {
				if err == nil {
					err = got.Set(value)
				}
			}
			if (err == nil) != (tc.problem == "") || err != nil && !strings.Contains(err.Error(), tc.problem) {
				t.Fatalf("got %v, want %q", err, tc.problem)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("choices (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	have := []odiv1.AgentChoice{{Language: "java", Version: "1"}, {Language: "python", Version: "1"}}
	want := []odiv1.AgentChoice{{Language: "java", Version: "2"}, {Language: "python", Version: "1"}, {Language: "nodejs", Version: "1"}}
	got := merge(have, []odiv1.AgentChoice{{Language: "java", Version: "2"}, {Language: "nodejs", Version: "1"}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("choices (-want +got):\n%s", diff)
	}
}
