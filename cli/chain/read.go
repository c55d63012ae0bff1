package chain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// stepRead is about what a workload encrypts; there is none where it does not.
const stepRead = "Decrypted"

// withAgents are the languages whose agents tell of requests that are encrypted.
var withAgents = []string{"java", "nodejs", "python"}

// read says whether what the workload encrypts is seen. An agent in a process sees it in any case.
func read(in Input) Step {
	var unread, by []string
	todo := "only OpenTelemetry's SDK in the program sees these requests"
	for _, c := range in.Object.Status.Containers {
		if c.Agent.State == odiv1.AgentAlive || c.Agent.State == odiv1.AgentOwnSDK {
			continue
		}
		if c.TLS.ReadBy != "" {
			by = append(by, fmt.Sprintf("%s: what %s encrypts is read.", c.Name, c.TLS.ReadBy))
		}
		if c.TLS.UnreadSince == nil {
			continue
		}
		unread = append(unread, fmt.Sprintf("%s: since %s it encrypts (TLS) by a library that odi does not read: such requests give no spans, only metrics of their handshakes.",
			c.Name, c.TLS.UnreadSince.UTC().Format(time.DateTime+" MST")))
		if slices.Contains(withAgents, c.Runtime.Language) {
			todo = fmt.Sprintf("an agent in the process sees them: odi instrument %s %s -n %s --method agent",
				strings.ToLower(string(in.Workload.Kind)), in.Workload.Name, in.Workload.Namespace)
		}
	}
	switch {
	case len(unread) > 0:
		return Step{Name: stepRead, State: Broken, Text: strings.Join(append(unread, by...), " "), Todo: todo}
	case len(by) > 0:
		return Step{Name: stepRead, State: Done, Text: strings.Join(by, " ")}
	}
	return Step{}
}
