package selection

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

// outcomesOf counts what the configs came to and judges each.
func outcomesOf(in input, targets []*target) []outcome {
	instrumented := map[string]int32{}
	for _, iw := range in.existing {
		if meta.IsStatusConditionTrue(iw.Status.Conditions, odiv1.ConditionInstrumented) {
			instrumented[iw.Spec.Config]++
		}
	}
	pairTwins(targets)
	outcomes := make([]outcome, len(targets))
	for i, t := range targets {
		o := t.outcome
		o.instrumented = min(instrumented[t.config.Name], o.won)
		o.ready = withRules(t.config, withTwins(o, judge(t, o)))
		outcomes[i] = o
	}
	return outcomes
}

// judge says whether a config does what it is for; the first case that fits is the reason.
func judge(t *target, o outcome) verdict {
	named := t.config.Spec.Target.Name != ""
	switch {
	case t.excluded:
		return verdict{metav1.ConditionFalse, odiv1.ReasonNamespaceExcluded, fmt.Sprintf(
			"Namespace %s is never instrumented: it belongs to Kubernetes, to odi, or is excluded by the administrator.",
			t.config.Namespace)}
	case t.invalid != nil:
		return verdict{metav1.ConditionFalse, odiv1.ReasonInvalidConfig, fmt.Sprintf("spec.target.selector: %v.", t.invalid)}
	case named && o.matched == 0:
		return verdict{metav1.ConditionFalse, odiv1.ReasonWorkloadNotFound, fmt.Sprintf(
			"There is no %s %s in namespace %s yet; it will be instrumented when it appears.", t.config.Spec.Target.Kind, t.config.Spec.Target.Name, t.config.Namespace)}
	case named && o.won == 0:
		return verdict{metav1.ConditionFalse, odiv1.ReasonOverridden,
			fmt.Sprintf("InstrumentationConfig %s, which is older, names the same workload.", o.stronger[0])}
	case o.older != "":
		return verdict{metav1.ConditionFalse, odiv1.ReasonOverridden,
			fmt.Sprintf("InstrumentationConfig %s, which is older, selects the same workloads.", o.older)}
	case o.matched == 0:
		return verdict{metav1.ConditionTrue, odiv1.ReasonNoWorkloads,
			"No workload matches yet; one that appears will be instrumented at once."}
	case o.won < o.matched:
		return verdict{metav1.ConditionTrue, odiv1.ReasonSelected, fmt.Sprintf(
			"Selected %d of %d matching workloads; stronger configs have the others: %s.", o.won, o.matched, names(o.stronger))}
	case o.won == 1:
		return verdict{metav1.ConditionTrue, odiv1.ReasonSelected, "Selected 1 workload."}
	}
	return verdict{metav1.ConditionTrue, odiv1.ReasonSelected, fmt.Sprintf("Selected %d workloads.", o.won)}
}

// pairTwins finds configs that are for the same, however many workloads that is now: of
// those only the oldest counts. targets are in order of precedence.
func pairTwins(targets []*target) {
	for i, t := range targets {
		if t.excluded || t.invalid != nil || t.outcome.older != "" {
			continue
		}
		for _, later := range targets[i+1:] {
			if later.outcome.older == "" && reflect.DeepEqual(t.config.Spec.Target, later.config.Spec.Target) {
				later.outcome.older = t.config.Name
				t.outcome.younger = append(t.outcome.younger, later.config.Name)
			}
		}
	}
}

// withTwins names in the config that counts those that do not.
func withTwins(o outcome, v verdict) verdict {
	if len(o.younger) > 0 && v.status == metav1.ConditionTrue {
		v.message += fmt.Sprintf(" InstrumentationConfig %s: for the same, younger, and without effect.", names(o.younger))
	}
	return v
}

// withRules says what rules of sampling do not reach: nobody is to wait for it.
func withRules(config *odiv1.InstrumentationConfig, v verdict) verdict {
	if len(config.Spec.Sampling.Rules) > 0 && v.reason == odiv1.ReasonSelected {
		v.message += " Rules of sampling are for traces that HTTP/1 requests begin where eBPF watches; gRPC, HTTP/2 and agents go by the ratio alone."
	}
	return v
}

// mostNames are read in a message; a namespace may have hundreds of configs.
const mostNames = 5

func names(configs []string) string {
	sorted := slices.Sorted(slices.Values(configs))
	if len(sorted) <= mostNames {
		return strings.Join(sorted, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(sorted[:mostNames], ", "), len(sorted)-mostNames)
}
