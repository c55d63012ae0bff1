package checks

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
	"github.com/odi-dev/odi/internal/nodefacts"
)

func onLinux(node corev1.Node) bool { return node.Labels[corev1.LabelOSStable] == "linux" }

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// eachNode judges every node with Linux by what Kubernetes says of it.
func eachNode(judge func(corev1.Node) (State, string)) func(Facts) []Finding {
	return func(f Facts) []Finding {
		return judged(f.Nodes, func(nodes []corev1.Node) []Finding {
			var findings []Finding
			for _, node := range nodes {
				if onLinux(node) {
					state, text := judge(node)
					findings = append(findings, Finding{state, node.Name, text})
				}
			}
			return findings
		})
	}
}

// onEachNode judges every node by what a pod saw there. fact is the name without which
// nothing can be said; empty where the judge knows.
func onEachNode(fact string, judge func(nodefacts.Facts) (State, string)) func(Facts) []Finding {
	return func(f Facts) []Finding {
		return judged(f.OnNodes, func(seen map[string]Known[nodefacts.Facts]) []Finding {
			var findings []Finding
			for _, name := range sortedKeys(seen) {
				answer := seen[name]
				state, text := Unknown, answer.missing()
				if text == "" {
					if text = answer.Value.Unseen[fact]; text == "" {
						state, text = judge(answer.Value)
					}
				}
				findings = append(findings, Finding{state, name, text})
			}
			return append(findings, unasked(f, seen)...)
		})
	}
}

// unasked says of how many nodes nothing is known, since only some were asked.
func unasked(f Facts, seen map[string]Known[nodefacts.Facts]) []Finding {
	rest := 0
	for _, node := range f.Nodes.Value {
		if _, asked := seen[node.Name]; !asked && onLinux(node) {
			rest++
		}
	}
	if rest == 0 {
		return nil
	}
	return one(Unknown, strings.Replace(plural(rest, "node"), " ", " more ", 1)+": not asked; one of each kind was")
}

// ladder judges the feature ladder of every node: that of its odiglet where one reports, else what a pod saw.
func ladder(f Facts, judge func([]nodefacts.Feature) (State, string)) []Finding {
	features := reportedFeatures(f)
	var findings []Finding
	for _, name := range sortedKeys(features) {
		state, text := judge(features[name])
		findings = append(findings, Finding{state, name, text})
	}
	for _, name := range sortedKeys(f.OnNodes.Value) {
		if _, reported := features[name]; !reported {
			state, text := ladderOf(f.OnNodes.Value[name], judge)
			findings = append(findings, Finding{state, name, text})
		}
	}
	if findings == nil {
		return one(Unknown, cmp.Or(f.OnNodes.missing(), "no node was asked"))
	}
	return findings
}

// reportedFeatures are those of nodes whose odiglet's report is believed.
func reportedFeatures(f Facts) map[string][]nodefacts.Feature {
	features := map[string][]nodefacts.Feature{}
	for _, report := range f.Components.Value.Nodes {
		if !ready(report) {
			continue
		}
		for _, feature := range report.Status.Features {
			features[report.Name] = append(features[report.Name], nodefacts.Feature{Name: feature.Name, State: string(feature.State), Reason: feature.Reason})
		}
	}
	return features
}

func ladderOf(answer Known[nodefacts.Facts], judge func([]nodefacts.Feature) (State, string)) (State, string) {
	if why := answer.missing(); why != "" {
		return Unknown, why
	}
	if len(answer.Value.Features) == 0 {
		return Unknown, "the engine was not loaded there, and no odiglet reports"
	}
	return judge(answer.Value.Features)
}

// ready says that a report is believed.
func ready(report odiv1.NodeInstrumentation) bool {
	for _, c := range report.Status.Conditions {
		if c.Type == odiv1.ConditionReady {
			return c.Status == metav1.ConditionTrue
		}
	}
	return false
}

// looked judges every node by what became of one address.
func looked(address string, well func(nodefacts.Look) bool) func(Facts) []Finding {
	return onEachNode("", func(f nodefacts.Facts) (State, string) {
		for _, look := range f.Looks {
			if look.Address == address {
				return state(well(look)), address + reason(look.Error)
			}
		}
		return Unknown, address + " was not called"
	})
}
