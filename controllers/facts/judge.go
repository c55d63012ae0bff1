package facts

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/kube"
)

// Verdict is the content of a condition.
type Verdict struct {
	True    bool
	Reason  string
	Message string
}

// status is Unknown where those who would know say nothing.
func (v Verdict) status() metav1.ConditionStatus {
	if v.Reason == odiv1.ReasonOdigletSilent {
		return metav1.ConditionUnknown
	}
	return kube.Status(v.True)
}

// judgeInstrumented answers "why is there no trace of this workload?": the first case that fits is the reason.
func judgeInstrumented(in Input, r Result) Verdict {
	switch missing := nothingRuns(in, r); {
	case len(in.Decisions) == 0:
		return Verdict{false, odiv1.ReasonReconcileInProgress, "How to instrument this workload is being decided."}
	case len(chosen(in.Decisions)) == 0:
		return Verdict{false, in.Decisions[0].Reason, in.Decisions[0].Message}
	case missing != nil:
		return *missing
	case silent(in) != "":
		return Verdict{false, odiv1.ReasonOdigletSilent, silent(in)}
	case r.InstrumentedPods >= r.Pods:
		return Verdict{true, odiv1.ReasonAttached, fmt.Sprintf("%s of %d produce telemetry.", count(r.InstrumentedPods), r.Pods)}
	}
	for _, node := range in.Nodes {
		if node.Unable != "" {
			return Verdict{false, odiv1.ReasonFeatureUnavailable, node.Unable}
		}
	}
	for _, c := range r.Containers {
		if c.LastError != "" {
			return Verdict{false, odiv1.ReasonAttachFailed, fmt.Sprintf("Container %s: %s", c.Name, c.LastError)}
		}
	}
	return Verdict{false, odiv1.ReasonAttaching, fmt.Sprintf("%s of %d produce telemetry so far.", count(r.InstrumentedPods), r.Pods)}
}

// silent says of which pods nothing is known any more; empty when all nodes that have some speak.
func silent(in Input) string {
	var words []string
	var pods int32
	for _, node := range in.Nodes {
		if n, _ := podsOf(node, in); node.Silent != "" && n > 0 {
			pods += n
			words = append(words, fmt.Sprintf("the odiglet of node %s is silent since %s", node.Name, node.Silent))
		}
	}
	if len(words) == 0 {
		return ""
	}
	const most = 3
	if len(words) > most {
		words = append(words[:most], fmt.Sprintf("and those of %d more nodes", len(words)-most))
	}
	return fmt.Sprintf("Whether %s produce telemetry is not known: %s.", count(pods), strings.Join(words, ", "))
}

func count(pods int32) string {
	if pods == 1 {
		return "1 pod"
	}
	return fmt.Sprintf("%d pods", pods)
}

// judgeRuntime says whether a runtime is known for every container.
func judgeRuntime(in Input, r Result) Verdict {
	var known, unknown []string
	for _, c := range r.Containers {
		if c.Runtime.Language == "" {
			unknown = append(unknown, c.Name)
			continue
		}
		known = append(known, c.Name+": "+describe(c.Runtime))
	}
	switch missing := nothingRuns(in, r); {
	case missing != nil && len(known) == 0:
		return *missing
	case len(unknown) > 0:
		return Verdict{false, odiv1.ReasonRuntimeUnknown, fmt.Sprintf(
			"The language of %s is not known; eBPF does not need it.", strings.Join(unknown, ", "))}
	}
	return Verdict{true, odiv1.ReasonRuntimeDetected, strings.Join(known, "; ") + "."}
}

// nothingRuns says why there is no pod to look at; nil when there is.
func nothingRuns(in Input, r Result) *Verdict {
	switch {
	case r.Pods > 0:
		return nil
	case in.Idle != "":
		return &Verdict{false, odiv1.ReasonNoPods, in.Idle}
	case in.Kind == odiv1.KindCronJob || in.Kind == odiv1.KindJob:
		return &Verdict{false, odiv1.ReasonNoPods, "No pod runs now; the next one is instrumented from its start."}
	}
	return &Verdict{false, odiv1.ReasonWaitingForNode, "No odiglet has seen a running pod of this workload yet."}
}
