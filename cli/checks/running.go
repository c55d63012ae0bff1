package checks

import (
	"fmt"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/odi-dev/odi/cli/components"
)

const (
	// soon is when a certificate should have been renewed for long: the manager does it 30 days before.
	soon = 7 * 24 * time.Hour
	// manyRestarts is more than a rollout or a node's restart makes of one container.
	manyRestarts = 3
	versionLabel = "app.kubernetes.io/version"
)

// runningChecks are about an odi that is installed.
var runningChecks = []Check{
	{
		Code: "ODI-701", Title: "The manager works", Severity: Fatal, Phase: After,
		Why:   "It decides what is instrumented and how. Without it, what is instrumented stays so, and nothing changes.",
		Mend:  "See kubectl -n <odi's namespace> describe deployment odi-manager, and its log.",
		Judge: component("manager"),
	},
	{
		Code: "ODI-702", Title: "The gateway works", Severity: Fatal, Phase: After,
		Why:   "It sends to the Destinations. While it is away, node collectors queue.",
		Mend:  "See kubectl -n <odi's namespace> describe deployment odi-gateway, and its log.",
		Judge: component("gateway"),
	},
	{
		Code: "ODI-703", Title: "A node collector works on every node", Severity: Fatal, Phase: After,
		Why:   "It takes what the odiglet and the agents of its node send.",
		Mend:  "See kubectl -n <odi's namespace> describe daemonset odi-node-collector.",
		Judge: component("node collector"),
	},
	{
		Code: "ODI-704", Title: "An odiglet works on every node", Severity: Fatal, Phase: After,
		Why:   "It sees the requests of its node. A report counts while its odiglet renews its Lease.",
		Mend:  "See kubectl -n <odi's namespace> describe daemonset odiglet, and odi describe node/<name>.",
		Judge: component("odiglet"),
	},
	{
		Code: "ODI-705", Title: "The manager answers the API server about pods", Severity: Warning, Phase: After,
		Why:  "The webhook gives agents to new pods. While it does not answer, pods start without theirs.",
		Mend: "See the manager's log. Its certificate is in the Secret odi-webhook-tls, and the controller certificates tells the API server about it.",
		Judge: func(f Facts) []Finding {
			return judged(f.Hook, func(hook *admissionv1.MutatingWebhookConfiguration) []Finding {
				if hook == nil {
					return nil // agents.webhook is off
				}
				for _, webhook := range hook.Webhooks {
					if len(webhook.ClientConfig.CABundle) == 0 {
						return one(Broken, "the API server knows no authority for it")
					}
				}
				return judged(f.HookEndpoints, func(n int) []Finding {
					if n == 0 {
						return one(Broken, "no ready pod is behind the Service odi-webhook")
					}
					return one(OK, plural(n, "pod"))
				})
			})
		},
	},
	{
		Code: "ODI-706", Title: "Certificates are renewed", Severity: Fatal, Phase: After,
		Why:  "odi's components know each other by certificates of 90 days, which the manager renews after 60.",
		Mend: "See the manager's log. To begin anew: kubectl -n <odi's namespace> delete secret odi-authorities.",
		Judge: func(f Facts) []Finding {
			return judged(f.Certificates, func(list []Certificate) []Finding {
				var findings []Finding
				for _, c := range list {
					left := c.Until.Sub(f.Now)
					switch {
					case c.Problem != "":
						findings = append(findings, Finding{Broken, c.Secret, c.Problem})
					case left < soon:
						findings = append(findings, Finding{Broken, c.Secret, "it runs out at " + c.Until.UTC().Format(time.RFC3339)})
					default:
						findings = append(findings, Finding{OK, c.Secret, fmt.Sprintf("%d days are left", int(left.Hours()/24))})
					}
				}
				return findings
			})
		},
	},
	{
		Code: "ODI-707", Title: "All components are of one version", Severity: Warning, Phase: After,
		Why:  "During an upgrade two versions work together, not for long.",
		Mend: "Finish the upgrade: odi upgrade. A pod that stays old says why: odi status.",
		Judge: func(f Facts) []Finding {
			return judged(f.Components, func(seen components.Observed) []Finding {
				versions := map[string]bool{}
				for _, pod := range seen.Pods {
					if version := pod.Labels[versionLabel]; version != "" {
						versions[version] = true
					}
				}
				if len(versions) == 0 {
					return one(Unknown, "no pod of odi's says its version")
				}
				text := strings.Join(sortedKeys(versions), ", ")
				return one(state(len(versions) == 1), text)
			})
		},
	},
	{
		Code: "ODI-708", Title: "This program is of the cluster's version", Severity: Note, Phase: After,
		Why:  "Another version may know other fields and flags.",
		Mend: "Use the odi of the cluster's version, or bring the cluster to this one: odi upgrade.",
		Judge: func(f Facts) []Finding {
			return judged(f.Components, func(seen components.Observed) []Finding {
				if seen.Manager == nil {
					return one(Unknown, "there is no manager")
				}
				theirs, mine := seen.Manager.Labels[versionLabel], strings.ReplaceAll(f.Version, "+", "_")
				return one(state(theirs == mine), fmt.Sprintf("the cluster has %s, this program is %s", theirs, mine))
			})
		},
	},
	{
		Code: "ODI-709", Title: "No component restarts again and again", Severity: Warning, Phase: After,
		Why:  "A component that restarts loses what it has not handed on; one that is killed for its memory needs more.",
		Mend: "See kubectl -n <odi's namespace> logs <pod> --previous. Where the reason is OOMKilled, raise the component's memory by the chart's values.",
		Judge: func(f Facts) []Finding {
			return judged(f.Components, func(seen components.Observed) []Finding {
				if len(seen.Pods) == 0 {
					return one(Unknown, "there is no pod of odi's")
				}
				var problems []string
				for _, pod := range seen.Pods {
					problems = append(problems, restarts(pod)...)
				}
				return unless(prefixed("", problems), plural(len(seen.Pods), "pod"))
			})
		},
	},
}

// component is how one part gets on, one finding for each that has the name.
func component(name string) func(Facts) []Finding {
	return func(f Facts) []Finding {
		return judged(f.Components, func(seen components.Observed) []Finding {
			var findings []Finding
			for _, c := range components.Judge(seen) {
				if strings.HasPrefix(c.Name, name) {
					_, node, _ := strings.Cut(c.Name, " on ")
					findings = append(findings, Finding{state(c.Ready), node, c.Text})
				}
			}
			return findings
		})
	}
}

func restarts(pod corev1.Pod) []string {
	var problems []string
	for _, c := range pod.Status.ContainerStatuses {
		last := c.LastTerminationState.Terminated
		switch {
		case last != nil && last.Reason == "OOMKilled":
			problems = append(problems, fmt.Sprintf("%s was killed for its memory", pod.Name))
		case c.RestartCount > manyRestarts:
			problems = append(problems, fmt.Sprintf("%s restarted %d times", pod.Name, c.RestartCount))
		}
	}
	return problems
}
