package languages

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// Revision names the agents of some decisions: equal where pods get the same, empty where they get none. The
// webhook injects nothing where the plan is of another revision, since nobody has tried that one yet. The
// image is no part of it: what lies in an image of a version never changes, wherever it is pulled from.
func Revision(decisions []odiv1.ContainerDecision) string {
	var lines []string
	for _, d := range decisions {
		if d.Method == odiv1.MethodAgent {
			lines = append(lines, fmt.Sprintf("%s=%s@%s\n", d.Name, d.Agent.Language, d.Agent.Version))
		}
	}
	if lines == nil {
		return ""
	}
	slices.Sort(lines)
	sum := sha256.Sum256(fmt.Append(nil, lines))
	return hex.EncodeToString(sum[:])[:12]
}
