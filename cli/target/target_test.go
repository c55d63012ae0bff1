package target

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	odiv1 "github.com/odi-dev/odi/api/v1alpha1"
)

var all = Grammar{Namespace, Destination, Node}

func TestEveryWayToNameSomething(t *testing.T) {
	cart := Target{Kind: "deployment", Workload: odiv1.KindDeployment, Name: "cart"}
	for line, want := range map[string]Target{
		"deployment/cart": cart, "deployment cart": cart, "deploy/cart": cart, "deploy cart": cart, "Deployments cart": cart,
		"deployment.apps/cart": cart, "deployments.apps cart": cart, "deployment.v1.apps/cart": cart,
		"sts/db":                      {"statefulset", odiv1.KindStatefulSet, "db"},
		"ds agent":                    {"daemonset", odiv1.KindDaemonSet, "agent"},
		"cj/report":                   {"cronjob", odiv1.KindCronJob, "report"},
		"cronjobs.batch/report":       {"cronjob", odiv1.KindCronJob, "report"},
		"jobs once":                   {"job", odiv1.KindJob, "once"},
		"rs/lone":                     {"replicaset", odiv1.KindReplicaSet, "lone"},
		"rc/old":                      {"replicationcontroller", odiv1.KindReplicationController, "old"},
		"po/debug":                    {"pod", odiv1.KindPod, "debug"},
		"pods debug":                  {"pod", odiv1.KindPod, "debug"},
		"ns shop":                     {Kind: Namespace, Name: "shop"},
		"namespaces/shop":             {Kind: Namespace, Name: "shop"},
		"dest/jaeger":                 {Kind: Destination, Name: "jaeger"},
		"destinations.odi.dev/jaeger": {Kind: Destination, Name: "jaeger"},
		"no/worker-1":                 {Kind: Node, Name: "worker-1"},
		"rollout.argoproj.io/web":     {"rollout.argoproj.io", "rollout.argoproj.io", "web"},
	} {
		got, err := all.Parse(command(), strings.Fields(line))
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", line, got, err, want)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	for line, want := range map[string]string{
		"":                  "odi look needs <kind>/<name>",
		"cart":              `needs <kind>/<name>, for example deployment/cart; see odi look --help`,
		"deployment":        "odi look needs the name of a deployment: odi look deployment/<name>",
		"deployment/":       "needs the name of a deployment",
		"/cart":             "needs <kind>/<name>",
		"deploymnet/cart":   `unknown kind "deploymnet"; did you mean deployment?`,
		"volume/x":          `unknown kind "volume"; valid are namespace, deployment, `,
		"deployment a b":    `takes one deployment, but got "b" too`,
		"deployment/a b":    `takes one deployment, but got "b" too`,
		"deployment shop/a": `"shop/a" is no name of a deployment`,
	} {
		if _, err := all.Parse(command(), strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", line, err, want)
		}
	}
	if _, err := (Grammar{Namespace}).Parse(command(), []string{"node/a"}); err == nil || strings.Contains(err.Error(), "destination") {
		t.Errorf("a command that takes no nodes: %v", err)
	}
}

func command() *cobra.Command {
	odi := &cobra.Command{Use: "odi"}
	look := &cobra.Command{Use: "look"}
	odi.AddCommand(look)
	return look
}
