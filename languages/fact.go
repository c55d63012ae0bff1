package languages

import (
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/languages/language"
)

// Fact writes a runtime as users see it in the API. An agent counts there only if it was seen itself.
func Fact(rt language.Runtime) odiv1.Runtime {
	const maxAgents = 63 // the API's limit
	var agents []string
	for _, a := range rt.Agents {
		if a.Loaded {
			agents = append(agents, a.Name)
		}
	}
	joined := strings.Join(agents, ",")
	return odiv1.Runtime{
		Language:   rt.Label(),
		Version:    rt.Version,
		Libc:       string(rt.Libc),
		OtherAgent: joined[:min(len(joined), maxAgents)],
	}
}
