package checks

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// valueChecks are about the chart's values.
var valueChecks = []Check{
	{
		Code: "ODI-501", Title: "The chart takes the values", Severity: Fatal, Phase: Always,
		Why:  "A value that is misspelt or of the wrong form is refused by its name before anything is applied.",
		Mend: "Correct the value; charts/odi/README.md has all of them.",
		Judge: func(f Facts) []Finding {
			return judged(f.ValuesProblem, func(why string) []Finding { return unless(why, "they fit the chart's schema") })
		},
	},
	{
		Code: "ODI-502", Title: "The API server takes every object of the chart", Severity: Fatal, Phase: Before,
		Why:  "Each object is applied in a dry run, which makes nothing: what policies, quotas and rights say of it is the API server's own word.",
		Mend: "The message names the object and who refuses it: except it from that policy, or ask for the right.",
		Judge: func(f Facts) []Finding {
			return judged(f.Refusals, func(refusals []Refusal) []Finding {
				var findings []Finding
				for _, r := range refusals {
					if !r.Unserved {
						findings = append(findings, Finding{Broken, r.Object, r.Text})
					}
				}
				if findings == nil {
					return one(OK, "a dry run of all that can be tried was accepted")
				}
				return findings
			})
		},
	},
	{
		Code: "ODI-503", Title: "Kinds of the Prometheus Operator are there where they are asked for", Severity: Fatal, Phase: Always,
		Why:  "monitoring.podMonitors and monitoring.alerts make objects of kinds that the Prometheus Operator brings; without them the installation fails.",
		Mend: "Install the Prometheus Operator, or leave monitoring.podMonitors.enabled and monitoring.alerts.enabled false.",
		Judge: func(f Facts) []Finding {
			return judged(f.Values, func(values map[string]any) []Finding {
				return judged(f.Definitions, func(names []string) []Finding { return monitoringKinds(values, names) })
			})
		},
	},
	{
		Code: "ODI-504", Title: "Priority classes exist", Severity: Fatal, Phase: Always,
		Why:  "A pod that names a PriorityClass which does not exist is refused.",
		Mend: "Make the PriorityClass, or change odiglet.priorityClassName and gateway.priorityClassName.",
		Judge: func(f Facts) []Finding {
			return judged(f.Classes, func(classes map[string]bool) []Finding {
				return unless(prefixed("missing: ", absent(classes)), plural(len(classes), "class")+" asked for")
			})
		},
	},
	{
		Code: "ODI-505", Title: "The odiglet's node selector chooses nodes", Severity: Warning, Phase: Always,
		Why:  "A selector that no node matches leaves odi without odiglets, and nothing is seen.",
		Mend: "Change odiglet.nodeSelector; kubectl get nodes --show-labels lists what there is.",
		Judge: func(f Facts) []Finding {
			return judged(f.Values, func(values map[string]any) []Finding {
				return judged(f.Nodes, func(nodes []corev1.Node) []Finding { return chosenNodes(values, nodes) })
			})
		},
	},
	{
		Code: "ODI-506", Title: "The odiglet keeps the capabilities that it cannot do without", Severity: Fatal, Phase: Always,
		Why:  "BPF loads the programs, PERFMON attaches them, SYS_PTRACE reads the processes of other users.",
		Mend: "Leave odiglet.capabilities as it is, or set odiglet.privileged where the container runtime does not know these capabilities.",
		Judge: func(f Facts) []Finding {
			return judged(f.Values, func(values map[string]any) []Finding {
				given, changed := at(values, "odiglet", "capabilities").([]any)
				if at(values, "odiglet", "privileged") == true || !changed {
					return one(OK, "as the chart has them")
				}
				return unless(prefixed("odiglet.capabilities lacks ", lacking(given)), plural(len(given), "capability"))
			})
		},
	},
	{
		Code: "ODI-507", Title: "Who monitors odi may reach it", Severity: Warning, Phase: Always,
		Why:  "odi's network policies keep everybody from its metrics who is not named; PodMonitors alone let nobody in.",
		Mend: "Name the Prometheus server's namespace in networkPolicies.metricsFrom.",
		Judge: func(f Facts) []Finding {
			return judged(f.Values, func(values map[string]any) []Finding {
				from, _ := at(values, "networkPolicies", "metricsFrom").([]any)
				if at(values, "monitoring", "podMonitors", "enabled") == true && len(from) == 0 && at(values, "networkPolicies", "enabled") != false {
					return one(Broken, "monitoring.podMonitors is on, and networkPolicies.metricsFrom names nobody")
				}
				return one(OK, "PodMonitors are off, or somebody is let in")
			})
		},
	},
	{
		Code: "ODI-508", Title: "Images stay what they are", Severity: Note, Phase: Always,
		Why:  "Under a tag such as latest another image may come at any restart, of one component and not of the others.",
		Mend: "Leave image.tag and collectorImage.tag empty, which is this program's version, or give digests.",
		Judge: func(f Facts) []Finding {
			return judged(f.Values, func(values map[string]any) []Finding {
				var moving []string
				for _, image := range []string{"image", "collectorImage"} {
					if at(values, image, "tag") == "latest" && at(values, image, "digest") == nil {
						moving = append(moving, image+".tag=latest")
					}
				}
				return unless(prefixed("", moving), "no tag that moves")
			})
		},
	},
}

// at is a value of the chart that a user gave; nil where none was.
func at(values map[string]any, path ...string) any {
	for i, name := range path {
		if i == len(path)-1 {
			return values[name]
		}
		inner, ok := values[name].(map[string]any)
		if !ok {
			return nil
		}
		values = inner
	}
	return nil
}

func monitoringKinds(values map[string]any, names []string) []Finding {
	var missing []string
	for value, kind := range map[string]string{"podMonitors": "podmonitors.monitoring.coreos.com", "alerts": "prometheusrules.monitoring.coreos.com"} {
		if at(values, "monitoring", value, "enabled") == true && !slices.Contains(names, kind) {
			missing = append(missing, fmt.Sprintf("%s (monitoring.%s.enabled)", kind, value))
		}
	}
	slices.Sort(missing)
	return unless(prefixed("not there: ", missing), "none is asked for that is not there")
}

func chosenNodes(values map[string]any, nodes []corev1.Node) []Finding {
	selector, _ := at(values, "odiglet", "nodeSelector").(map[string]any)
	if len(nodes) == 0 {
		return one(Unknown, "there is no node yet")
	}
	matching := 0
	for _, node := range nodes {
		all := onLinux(node)
		for name, value := range selector {
			all = all && node.Labels[name] == fmt.Sprint(value)
		}
		if all {
			matching++
		}
	}
	if matching == 0 {
		return one(Broken, fmt.Sprintf("none of %s", plural(len(nodes), "node")))
	}
	return one(OK, fmt.Sprintf("%d of %s", matching, plural(len(nodes), "node")))
}

// vital are the capabilities without which nothing is seen.
var vital = []string{"BPF", "PERFMON", "SYS_PTRACE"}

func lacking(given []any) []string {
	var missing []string
	for _, name := range vital {
		if !slices.Contains(given, any(name)) && !slices.Contains(given, any("SYS_ADMIN")) {
			missing = append(missing, name)
		}
	}
	return missing
}
