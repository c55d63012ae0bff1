package checks

import (
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/odi-dev/odi/cli/release"
)

// leftoverChecks are about what an odi before this one left.
var leftoverChecks = []Check{
	{
		Code: "ODI-401", Title: "There is no second odi", Severity: Fatal, Phase: Always,
		Why:  "Two odiglets on a node would report everything twice, and write the same reports.",
		Mend: "Use the one that is there with --namespace, or remove it first: odi uninstall --namespace <its namespace>.",
		Judge: func(f Facts) []Finding {
			return judged(f.Release, func(r Release) []Finding {
				return unless(prefixed("odi is in ", r.Elsewhere), "none in another namespace")
			})
		},
	},
	{
		Code: "ODI-402", Title: "No installation was cut off", Severity: Warning, Phase: Always,
		Why:  "An installation, upgrade or removal that was cut off leaves some objects old and some new.",
		Mend: "Run odi install (or odi upgrade, odi uninstall) again: it continues what was cut off.",
		Judge: func(f Facts) []Finding {
			return judged(f.Release, func(r Release) []Finding {
				if r.State.Unfinished != "" {
					return one(Broken, fmt.Sprintf("the %s that began at %s is not finished", r.State.Unfinished, r.State.Since.UTC().Format("15:04:05 MST")))
				}
				return one(OK, "Helm has no operation that is unfinished")
			})
		},
	},
	{
		Code: "ODI-403", Title: "No newer odi was here", Severity: Fatal, Phase: Always,
		Why:  "The kinds of an older odi would drop fields of users' objects that a newer one knows.",
		Mend: "Use an odi of that version or newer. To take the cluster back nevertheless: odi install --force-downgrade.",
		Judge: func(f Facts) []Finding {
			return judged(f.Release, func(r Release) []Finding {
				if at(f.Values.Value, "crds", "install") == false {
					return newest(f.Version, r, nil) // the kinds stay as they are
				}
				return judged(f.Kinds, func(found []Kind) []Finding { return newest(f.Version, r, found) })
			})
		},
	},
	{
		Code: "ODI-404", Title: "odi's kinds are not being deleted", Severity: Fatal, Phase: Always,
		Why:  "A kind that is on its way out takes its objects with it, and cannot be made anew before it is gone.",
		Mend: "Wait; if it does not end, look at its objects' finalizers: kubectl get crd <name> -o yaml.",
		Judge: func(f Facts) []Finding {
			return judged(f.Kinds, func(found []Kind) []Finding {
				var going []string
				for _, k := range found {
					if k.Deleting {
						going = append(going, k.Name)
					}
				}
				return unless(prefixed("being deleted: ", going), fmt.Sprintf("%d of odi's kinds are there", len(found)))
			})
		},
	},
	{
		Code: "ODI-405", Title: "Objects by the names of odi's belong to this release", Severity: Fatal, Phase: Always,
		Why:  "Helm refuses to take over objects of the whole cluster that another release, or nobody, made.",
		Mend: "Where they are left of an odi that is gone, delete them; otherwise see whose they are by the annotation meta.helm.sh/release-name.",
		Judge: func(f Facts) []Finding {
			return judged(f.Foreign, func(names []string) []Finding {
				return unless(prefixed("not this release's: ", names), "none is another's")
			})
		},
	},
	{
		Code: "ODI-406", Title: "No webhook was left without its manager", Severity: Warning, Phase: Before,
		Why:  "A MutatingWebhookConfiguration without the manager behind it makes the API server wait for two seconds at each new pod that it is asked about.",
		Mend: "kubectl delete mutatingwebhookconfiguration odi-pods, or install odi.",
		Judge: func(f Facts) []Finding {
			return judged(f.Hook, func(hook *admissionv1.MutatingWebhookConfiguration) []Finding {
				if hook == nil {
					return one(OK, "there is none")
				}
				return judged(f.Release, func(r Release) []Finding {
					if r.State.Exists {
						return one(OK, "it is that of the release")
					}
					return one(Broken, hook.Name+" is there, and no release of odi's")
				})
			})
		},
	},
	{
		Code: "ODI-407", Title: "No namespace was left with odi's label", Severity: Note, Phase: Before,
		Why:  "The label odi.dev/inject says of which namespaces the webhook is asked. Without odi it has no meaning, and with the next odi it is set anew.",
		Mend: "kubectl label namespace <name> odi.dev/inject-",
		Judge: func(f Facts) []Finding {
			return judged(f.Marked, func(names []string) []Finding {
				return judged(f.Release, func(r Release) []Finding {
					if r.State.Exists {
						return one(OK, "odi is installed and keeps the labels")
					}
					return unless(prefixed("labelled: ", names), "none")
				})
			})
		},
	},
	{
		Code: "ODI-408", Title: "Nothing was left by a check that was cut off", Severity: Note, Phase: Always,
		Why:  "odi check runs short-lived Jobs, before installing in a namespace of their own. Jobs go by themselves after a minute, the namespace does not.",
		Mend: "kubectl delete namespace odi-check, or run odi check once more.",
		Judge: func(f Facts) []Finding {
			return judged(f.Strays, func(names []string) []Finding { return unless(prefixed("left: ", names), "nothing") })
		},
	},
}

// newest compares what the cluster has with this program.
func newest(mine string, r Release, found []Kind) []Finding {
	versions := map[string]string{"release": r.State.Version}
	for _, k := range found {
		versions[k.Name] = k.Version
	}
	newer, unknown := release.Newer(mine, versions)
	switch {
	case newer != "":
		return one(Broken, fmt.Sprintf("the cluster has odi %s, this program is %s", newer, mine))
	case unknown != "":
		return one(Unknown, fmt.Sprintf("%s cannot be compared with this program's %s", unknown, mine))
	}
	return one(OK, "this program is "+mine)
}
