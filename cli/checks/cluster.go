package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// oldestMinor is the oldest Kubernetes 1.x that the chart takes.
	oldestMinor = 28
	// policiesMinor is the first with admission policies for everybody.
	policiesMinor = 30
	// maxSkew is how far clocks may differ: certificates and Leases are judged by them.
	maxSkew = 30 * time.Second
)

// clusterChecks are about the API server.
var clusterChecks = []Check{
	{
		Code: "ODI-101", Title: "The API server answers", Severity: Fatal, Phase: Always,
		Why:  "Everything that odi does in a cluster goes through the API server; without it nothing else can be checked.",
		Mend: "See kubectl cluster-info. Another cluster is chosen with --context or --kubeconfig; what this machine's own kernel can do is shown by odi check --host.",
		Judge: func(f Facts) []Finding {
			if why := f.Server.missing(); why != "" && f.Server.Why != "" {
				return one(Broken, why)
			}
			return judged(f.Server, func(s Server) []Finding { return one(OK, "Kubernetes "+s.Version) })
		},
	},
	{
		Code: "ODI-102", Title: "Kubernetes is new enough", Severity: Fatal, Phase: Always,
		Why:  "The chart uses what Kubernetes 1.28 and newer have; Helm refuses it on older ones.",
		Mend: "Upgrade Kubernetes to 1.28 or newer.",
		Judge: func(f Facts) []Finding {
			return judged(f.Server, func(s Server) []Finding {
				if s.Major == 1 && s.Minor < oldestMinor {
					return one(Broken, fmt.Sprintf("Kubernetes is %s; odi needs 1.%d or newer", s.Version, oldestMinor))
				}
				return one(OK, s.Version)
			})
		},
	},
	{
		Code: "ODI-103", Title: "Admission policies hold odi's accounts to what they need", Severity: Warning, Phase: Always,
		Why:  "RBAC cannot say all that should be forbidden to odi's accounts (docs/security.md). Before Kubernetes 1.30 the rest is left out.",
		Mend: "Upgrade Kubernetes to 1.30 or newer. Until then, treat who may write in odi's namespace as cluster administrators.",
		Judge: func(f Facts) []Finding {
			return judged(f.Server, func(s Server) []Finding {
				if s.Major == 1 && s.Minor < policiesMinor {
					return one(Broken, s.Version+" has no ValidatingAdmissionPolicy, so that odi's are left out")
				}
				return one(OK, s.Version+" has them")
			})
		},
	},
	{
		Code: "ODI-104", Title: "The API groups that odi uses are served", Severity: Fatal, Phase: Always,
		Why:  "Some clusters switch API groups off. odi's objects are of these groups.",
		Mend: "Switch the groups on: --runtime-config of the API server. kubectl api-versions lists what is served.",
		Judge: func(f Facts) []Finding {
			return judged(f.Served, func(served map[string]bool) []Finding {
				var lacking []string
				for _, group := range neededGroups {
					if !served[group] {
						lacking = append(lacking, group)
					}
				}
				return unless(prefixed("not served: ", lacking), fmt.Sprintf("all %d", len(neededGroups)))
			})
		},
	},
	{
		Code: "ODI-105", Title: "Every aggregated API answers", Severity: Warning, Phase: Always,
		Why:  "An API whose server is gone slows every client down, and keeps namespaces from being deleted, odi's among them.",
		Mend: "See kubectl get apiservices. Repair the server, or delete the APIService of one that was uninstalled.",
		Judge: func(f Facts) []Finding {
			return judged(f.DeadAPIs, func(dead []string) []Finding { return unless(prefixed("no answer from ", dead), "all of them") })
		},
	},
	{
		Code: "ODI-106", Title: "This machine's clock and the cluster's agree", Severity: Warning, Phase: Always,
		Why:  "Whether odi's parts live is judged by how old their last word is, and certificates by their dates.",
		Mend: "Let both follow NTP: timedatectl says whether this machine does.",
		Judge: func(f Facts) []Finding {
			return judged(f.Server, func(s Server) []Finding {
				return judged(s.Skew, func(skew time.Duration) []Finding {
					if skew.Abs() > maxSkew {
						return one(Broken, fmt.Sprintf("the API server's clock is %s apart from this machine's", skew.Abs().Round(time.Second)))
					}
					return one(OK, fmt.Sprintf("less than %s apart", maxSkew))
				})
			})
		},
	},
	{
		Code: "ODI-107", Title: "No webhook that is down keeps pods from being made", Severity: Fatal, Phase: Always,
		Why:  "The API server asks webhooks before it makes a pod. One with failurePolicy Fail and no pod behind it keeps every pod of the namespaces that it selects from being made, odi's among them.",
		Mend: "Bring the webhook's pods back, or delete the configuration of one that was uninstalled: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations.",
		Judge: func(f Facts) []Finding {
			return judged(f.Hooks, func(hooks []Hook) []Finding {
				var dead []string
				for _, h := range hooks {
					if h.Closed && h.Selects && h.Service != "" && h.Ready == 0 {
						dead = append(dead, fmt.Sprintf("%s (no pod behind the Service %s)", h.Name, h.Service))
					}
				}
				return unless(prefixed("down: ", dead), fmt.Sprintf("%d webhooks are asked about pods", len(hooks)))
			})
		},
	},
	{
		Code: "ODI-108", Title: "Nobody else instruments this cluster", Severity: Note, Phase: Always,
		Why:  "Two tracers may trace the same request twice, and two language agents in one process break it. odi leaves out containers in which it sees another agent.",
		Mend: "Decide for each namespace who instruments it. Where odi should not, leave it out: odi uninstrument namespace <name>.",
		Judge: func(f Facts) []Finding {
			return judged(f.Definitions, func(names []string) []Finding {
				var found []string
				for _, name := range names {
					if owner, ok := instrumenters[name]; ok && !slices.Contains(found, owner) {
						found = append(found, owner)
					}
				}
				return unless(prefixed("installed as well: ", found), "no kind of another that odi knows")
			})
		},
	},
}

// neededGroups are those of the objects that the chart makes and the processes use.
var neededGroups = []string{
	"v1", "apps/v1", "batch/v1", "policy/v1", "rbac.authorization.k8s.io/v1", "apiextensions.k8s.io/v1", "admissionregistration.k8s.io/v1",
	"coordination.k8s.io/v1", "events.k8s.io/v1", "networking.k8s.io/v1", "discovery.k8s.io/v1",
}

// instrumenters are kinds by which others who instrument are known.
var instrumenters = map[string]string{
	"instrumentations.opentelemetry.io":     "the OpenTelemetry operator",
	"instrumentationconfigs.odigos.io":      "Odigos",
	"dynakubes.dynatrace.com":               "Dynatrace",
	"datadogagents.datadoghq.com":           "Datadog",
	"instrumentations.newrelic.com":         "New Relic",
	"agents.instana.io":                     "Instana",
	"clusteragents.cluster.appdynamics.com": "AppDynamics",
	"beylas.grafana.com":                    "Grafana Beyla",
	"viziers.px.dev":                        "Pixie",
}

// prefixed lists names after a text; empty for none.
func prefixed(text string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return text + listed(names)
}

// maxListed is how many are named before the rest is counted.
const maxListed = 5

func listed(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
}
