package checks

import (
	"fmt"
	"slices"
	"strings"
)

// rightsChecks are about the user who runs the command.
var rightsChecks = []Check{
	ofRights(Check{Code: "ODI-201", Title: "You may make odi's namespace", Severity: Fatal, Phase: Before,
		Why: "odi install makes a namespace that lets the odiglet in, unless there is one."},
		makesHouse),
	ofRights(Check{Code: "ODI-202", Title: "You may define kinds", Severity: Fatal, Phase: Before,
		Why: "odi's four kinds are CustomResourceDefinitions of the chart."},
		every("apiextensions.k8s.io", "customresourcedefinitions", false)...),
	ofRights(Check{Code: "ODI-203", Title: "You may give odi's accounts their rights", Severity: Fatal, Phase: Before,
		Why: "The manager and the odiglet have ClusterRoles. Who makes them must have all those rights, or the right to escalate."},
		slices.Concat(every("rbac.authorization.k8s.io", "clusterroles", false), every("rbac.authorization.k8s.io", "clusterrolebindings", false),
			every("rbac.authorization.k8s.io", "roles", true), every("rbac.authorization.k8s.io", "rolebindings", true))...),
	ofRights(Check{Code: "ODI-204", Title: "You may run odi's components", Severity: Fatal, Phase: Before,
		Why: "The manager and the gateway are Deployments, the odiglets and node collectors DaemonSets."},
		slices.Concat(every("apps", "deployments", true), every("apps", "daemonsets", true))...),
	ofRights(Check{Code: "ODI-205", Title: "You may write what the components need", Severity: Fatal, Phase: Before,
		Why: "Configurations, accounts and Services are objects of odi's namespace, and Helm keeps its releases in Secrets there."},
		slices.Concat(every("", "secrets", true), every("", "configmaps", true), every("", "serviceaccounts", true), every("", "services", true),
			every("networking.k8s.io", "networkpolicies", true))...),
	ofRights(Check{Code: "ODI-206", Title: "You may set up admission", Severity: Fatal, Phase: Before,
		Why: "The webhook that gives agents to pods, and the policies that hold odi's accounts to what they need, are objects of the whole cluster."},
		slices.Concat(every("admissionregistration.k8s.io", "mutatingwebhookconfigurations", false),
			every("admissionregistration.k8s.io", "validatingadmissionpolicies", false),
			every("admissionregistration.k8s.io", "validatingadmissionpolicybindings", false))...),
	ofRights(Check{Code: "ODI-207", Title: "You may take the turn", Severity: Fatal, Phase: Before,
		Why: "A Lease in odi's namespace keeps two installations from running at once."},
		Right{"create", "coordination.k8s.io", "leases", true}, Right{"update", "coordination.k8s.io", "leases", true}),
	ofRights(Check{Code: "ODI-208", Title: "You may choose what to instrument and where data goes", Severity: Warning, Phase: Always,
		Why: "odi instrument and odi destination add write these objects."},
		Right{"create", "odi.dev", "instrumentationconfigs", false}, Right{"create", "odi.dev", "destinations", true}),
	ofRights(Check{Code: "ODI-209", Title: "You may look at nodes", Severity: Warning, Phase: Always,
		Why: "Without it the checks of nodes know nothing."},
		Right{Verb: "list", Resource: "nodes"}),
	ofRights(Check{Code: "ODI-210", Title: "You may ask nodes by short-lived pods", Severity: Note, Phase: Always,
		Why: "odi check runs a Job of one pod on a node, to see its kernel as the odiglet will. Without that, or with --no-pods, the checks of nodes know less."},
		Right{"create", "batch", "jobs", true}, Right{"delete", "batch", "jobs", true}, Right{"list", "", "pods", true}),
	ofRights(Check{Code: "ODI-211", Title: "You may ask odiglets", Severity: Note, Phase: After,
		Why: "odi status, describe and diagnose read processes, books and metrics from odi's pods as kubectl port-forward does."},
		Right{"create", "", "pods/portforward", true}, Right{"get", "", "pods/log", true}),
}

// every is what Helm does with its objects when it installs.
func every(group, resource string, own bool) []Right {
	var all []Right
	for _, verb := range []string{"get", "create", "patch"} {
		all = append(all, Right{verb, group, resource, own})
	}
	return all
}

// ofRights completes a check that is about what the user may do.
func ofRights(c Check, needs ...Right) Check {
	c.Rights = needs
	c.Mend = "Ask an administrator of the cluster for these rights, or to run the command: " + canI(needs[0]) + "."
	c.Judge = func(f Facts) []Finding { return allowed(f, needs) }
	return c
}

// makesHouse is the right that nobody needs where odi's namespace exists.
var makesHouse = Right{Verb: "create", Resource: "namespaces"}

func allowed(f Facts, needs []Right) []Finding {
	if needs[0] == makesHouse && f.House.Value != nil {
		return one(OK, "the namespace "+f.Namespace+" exists")
	}
	var lacking []string
	unknown := ""
	for _, need := range needs {
		answer := f.Rights[need]
		switch {
		case answer.missing() != "":
			unknown = answer.missing()
		case !answer.Value:
			lacking = append(lacking, need.in(f.Namespace))
		}
	}
	switch {
	case len(lacking) > 0:
		return one(Broken, "you may not "+listed(lacking))
	case unknown != "":
		return one(Unknown, unknown)
	}
	return one(OK, plural(len(needs), "right"))
}

// in says a right in words.
func (r Right) in(namespace string) string {
	where := ""
	if r.Own {
		where = " in " + namespace
	}
	return r.Verb + " " + r.resource() + where
}

func (r Right) resource() string {
	if r.Group == "" {
		return r.Resource
	}
	return r.Resource + "." + r.Group
}

// Parts are the resource and its subresource, which may be none.
func (r Right) Parts() (resource, sub string) {
	resource, sub, _ = strings.Cut(r.Resource, "/")
	return resource, sub
}

func canI(r Right) string { return "kubectl auth can-i " + r.Verb + " " + r.resource() }

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, strings.TrimSuffix(word, "s"))
}

// Rights lists every right that a check is about, once.
func Rights() []Right {
	seen := map[Right]bool{}
	var all []Right
	for _, c := range rightsChecks {
		for _, r := range c.Rights {
			if !seen[r] {
				seen[r] = true
				all = append(all, r)
			}
		}
	}
	return all
}
