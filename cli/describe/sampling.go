package describe

import (
	"fmt"
	"slices"
	"strings"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/samplerule"
)

// samplingOf says which of the traces that a workload begins are recorded; empty where all are.
func samplingOf(iw *odiv1.InstrumentedWorkload) string {
	if iw == nil || (iw.Spec.SamplingRatio == "" && len(iw.Spec.SamplingRules) == 0) {
		return ""
	}
	share := "all"
	if iw.Spec.SamplingRatio != "" {
		share = iw.Spec.SamplingRatio
	}
	text := fmt.Sprintf("%s of the traces that begin here, by InstrumentationConfig %s", share, iw.Spec.Config)
	if len(iw.Spec.SamplingRules) == 0 {
		return text
	}
	rules := samplerule.List(iw.Spec.SamplingRules)
	text += "; of those that a request of HTTP/1 begins, by the first that fits: " + rules.String()
	if agents := withAgents(iw); len(agents) > 0 {
		text += fmt.Sprintf(". An agent knows no rules: container %s goes by the share alone", strings.Join(agents, ", "))
	}
	return text
}

// withAgents are the containers that are decided to have an agent.
func withAgents(iw *odiv1.InstrumentedWorkload) []string {
	var names []string
	for _, c := range iw.Spec.Containers {
		if c.Method == odiv1.MethodAgent {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return names
}
