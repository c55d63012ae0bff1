package checks

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// levelLabel is what Pod Security Admission goes by.
const levelLabel = "pod-security.kubernetes.io/enforce"

// mostMemory is the highest memory limit of odi's components by default: the gateway's.
var mostMemory = resource.MustParse("512Mi")

// namespaceChecks are about odi's own namespace.
var namespaceChecks = []Check{
	{
		Code: "ODI-301", Title: "odi's namespace is not being deleted", Severity: Fatal, Phase: Always,
		Why:  "Nothing can be made in a namespace that is on its way out.",
		Mend: "Wait until it is gone: kubectl wait --for=delete namespace/<name>. If it never goes, its condition says what is in the way.",
		Judge: func(f Facts) []Finding {
			return judged(f.House, func(house *corev1.Namespace) []Finding {
				switch {
				case house == nil:
					return one(OK, f.Namespace+" does not exist yet; odi install makes it")
				case house.DeletionTimestamp != nil:
					return one(Broken, f.Namespace+" is being deleted since "+house.DeletionTimestamp.UTC().Format("15:04:05 MST"))
				}
				return one(OK, f.Namespace+" exists")
			})
		},
	},
	{
		Code: "ODI-302", Title: "Pod Security Admission lets the odiglet in", Severity: Fatal, Phase: Always,
		Why:  "The odiglet sees the processes of its node (hostPID) and has five capabilities, which every level but privileged forbids.",
		Mend: "kubectl label --overwrite namespace <odi's namespace> pod-security.kubernetes.io/enforce=privileged",
		Judge: func(f Facts) []Finding {
			return judged(f.House, func(house *corev1.Namespace) []Finding {
				if house == nil {
					return one(OK, "odi install makes the namespace with the level privileged")
				}
				level := house.Labels[levelLabel]
				switch level {
				case "":
					return one(OK, "the namespace asks for no level; what the cluster's default makes of it is ODI-303")
				case "privileged":
					return one(OK, "the level is privileged")
				}
				return one(Broken, fmt.Sprintf("the namespace %s enforces the level %s", f.Namespace, level))
			})
		},
	},
	{
		Code: "ODI-303", Title: "Admission takes the odiglet's pod", Severity: Fatal, Phase: Always,
		Why:  "Policies of the cluster (Pod Security, Kyverno, Gatekeeper, security context constraints) may refuse a pod with hostPID and capabilities. The check asks the API server in a dry run, which makes nothing.",
		Mend: "Except odi's namespace, or the odiglet's service account, from the policy that the message names.",
		Judge: func(f Facts) []Finding {
			return judged(f.PodRefusal, func(why string) []Finding { return unless(why, "a dry run was accepted") })
		},
	},
	{
		Code: "ODI-304", Title: "Quotas let odi's components in", Severity: Fatal, Phase: Always,
		Why:  "A ResourceQuota refuses pods that do not say what it counts, or for which nothing is left. odi's components have requests for cpu and memory and limits for memory, no limit for cpu.",
		Mend: "Raise the quota of odi's namespace, or set limits.cpu by the chart's values (manager.resources and so on).",
		Judge: func(f Facts) []Finding {
			return judged(f.Quotas, func(quotas []corev1.ResourceQuota) []Finding {
				var problems []string
				for _, q := range quotas {
					problems = append(problems, quotaProblems(q)...)
				}
				return unless(prefixed("", problems), plural(len(quotas), "quota"))
			})
		},
	},
	{
		Code: "ODI-305", Title: "Limit ranges leave odi's components their memory", Severity: Fatal, Phase: Always,
		Why:  "A LimitRange with a maximum below a component's limit refuses its pods.",
		Mend: "Raise the maximum in odi's namespace, or lower the component's limit by the chart's values.",
		Judge: func(f Facts) []Finding {
			return judged(f.Limits, func(ranges []corev1.LimitRange) []Finding {
				var problems []string
				for _, r := range ranges {
					for _, item := range r.Spec.Limits {
						most, has := item.Max[corev1.ResourceMemory]
						if item.Type == corev1.LimitTypeContainer && has && most.Cmp(mostMemory) < 0 {
							problems = append(problems, fmt.Sprintf("%s allows a container %s of memory, the gateway has a limit of %s", r.Name, most.String(), mostMemory.String()))
						}
					}
				}
				return unless(prefixed("", problems), plural(len(ranges), "limit range"))
			})
		},
	},
	{
		Code: "ODI-306", Title: "No service mesh is put into odi's own pods", Severity: Warning, Phase: Always,
		Why:  "A mesh's sidecar in odi's pods takes over their connections, which have certificates of their own, and the odiglet would trace it.",
		Mend: "Take the label off odi's namespace: kubectl label namespace <odi's namespace> istio-injection- (or linkerd.io/inject-).",
		Judge: func(f Facts) []Finding {
			return judged(f.House, func(house *corev1.Namespace) []Finding {
				if house == nil {
					return one(OK, "odi install makes a namespace without such labels")
				}
				return unless(meshOf(house), "no label of a mesh")
			})
		},
	},
	{
		Code: "ODI-307", Title: "The Secrets for pulling images exist", Severity: Fatal, Phase: Always,
		Why:  "imagePullSecrets names Secrets of odi's namespace; without them images of a private registry cannot be pulled.",
		Mend: "Make them: kubectl -n <odi's namespace> create secret docker-registry <name> --docker-server ... Make the namespace first where it does not exist yet, with the label pod-security.kubernetes.io/enforce=privileged.",
		Judge: func(f Facts) []Finding {
			return judged(f.PullSecrets, func(secrets map[string]bool) []Finding {
				return unless(prefixed("missing: ", absent(secrets)), plural(len(secrets), "Secret")+" asked for")
			})
		},
	},
}

// counted are what odi's components do not say.
var counted = []corev1.ResourceName{corev1.ResourceLimitsCPU}

func quotaProblems(q corev1.ResourceQuota) []string {
	if len(q.Spec.Scopes) > 0 || q.Spec.ScopeSelector != nil {
		return nil // it is about some pods alone
	}
	var problems []string
	for _, name := range counted {
		if _, has := q.Spec.Hard[name]; has {
			problems = append(problems, fmt.Sprintf("%s counts %s, which odi's components do not have", q.Name, name))
		}
	}
	for _, name := range []corev1.ResourceName{corev1.ResourcePods, corev1.ResourceRequestsMemory, corev1.ResourceRequestsCPU, corev1.ResourceLimitsMemory} {
		hard, has := q.Status.Hard[name]
		used := q.Status.Used[name]
		if has && used.Cmp(hard) >= 0 {
			problems = append(problems, fmt.Sprintf("%s has nothing left of %s (%s of %s)", q.Name, name, used.String(), hard.String()))
		}
	}
	return problems
}

func meshOf(house *corev1.Namespace) string {
	switch {
	case house.Labels["istio-injection"] == "enabled", house.Labels["istio.io/rev"] != "":
		return house.Name + " has the label of Istio's injection"
	case house.Annotations["linkerd.io/inject"] == "enabled":
		return house.Name + " has the annotation of Linkerd's injection"
	}
	return ""
}

// absent are the names that are not there, in order.
func absent(names map[string]bool) []string {
	var missing []string
	for name, there := range names {
		if !there {
			missing = append(missing, name)
		}
	}
	slices.SortFunc(missing, strings.Compare)
	return missing
}
