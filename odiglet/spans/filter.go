package spans

import (
	"strings"
)

// kubeletAgent starts the user agent of every HTTP probe of a kubelet.
const kubeletAgent = "kube-probe/"

// Filter leaves requests out.
type Filter struct {
	// Ignored are paths of the user's choice, exact or ending in *.
	Ignored []string
	// Probes are the paths that the kubelet asks of this container.
	Probes []string
}

// ignores says whether the user left the path out.
func (f Filter) ignores(path string) bool {
	for _, pattern := range f.Ignored {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			if strings.HasPrefix(path, prefix) {
				return true
			}
			continue
		}
		if path == pattern {
			return true
		}
	}
	return false
}

// isProbe says whether the kubelet asked. The path alone would leave out the
// requests of others to it, and the agent alone could be claimed by anybody.
func (f Filter) isProbe(path, userAgent string) bool {
	if !strings.HasPrefix(userAgent, kubeletAgent) {
		return false
	}
	for _, p := range f.Probes {
		if path == p {
			return true
		}
	}
	return false
}
