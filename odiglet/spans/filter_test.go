package spans

import (
	"testing"
)

func TestFilter(t *testing.T) {
	f := Filter{Ignored: []string{"/metrics", "/internal/*"}, Probes: []string{"/healthz"}}
	for name, tc := range map[string]struct {
		path, agent    string
		ignored, probe bool
	}{
		"an exact path":                     {path: "/metrics", ignored: true},
		"below an exact path":               {path: "/metrics/x"},
		"a prefix":                          {path: "/internal/x/y", ignored: true},
		"the prefix itself without a slash": {path: "/internal"},
		"the kubelet's probe":               {path: "/healthz", agent: "kube-probe/1.36", probe: true},
		"somebody else asks the same":       {path: "/healthz", agent: "curl/8"},
		"somebody who claims to be it":      {path: "/cart", agent: "kube-probe/1.36"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := f.ignores(tc.path); got != tc.ignored {
				t.Errorf("ignores = %v", got)
			}
			if got := f.isProbe(tc.path, tc.agent); got != tc.probe {
				t.Errorf("isProbe = %v", got)
			}
		})
	}
}
