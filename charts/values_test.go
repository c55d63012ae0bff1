package charts_test

import (
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// TestWrongValuesAreRefused: what would fail at the API server, on a node or not at all is refused before, by the
// name of the value.
func TestWrongValuesAreRefused(t *testing.T) {
	// Written as --set takes it; wantField is how the refusal names it.
	for value, wantField := range map[string]string{
		"manger.replicas=1":                                 "manger",
		"odiglet.priviledged=true":                          "priviledged",
		"manager.replicas=two":                              "/manager/replicas",
		"manager.replicas=null":                             "replicas",
		"odiglet.logLevel=loud":                             "/odiglet/logLevel",
		"odiglet.nodeSelector.nope=true":                    "/odiglet/nodeSelector/nope",
		"odiglet.nodeSelector.nope=null":                    "/odiglet/nodeSelector/nope",
		"odiglet.nodeSelector=null":                         "nodeSelector",
		"odiglet.nodeSelector=linux":                        "/odiglet/nodeSelector",
		"gateway.nodeSelector.pool=a b":                     "/gateway/nodeSelector/pool",
		"manager.nodeSelector.a b=c":                        "a b",
		"manager.nodeSelector.1=2":                          "/manager/nodeSelector",
		"odiglet.resources.limits.memory=banana":            "/odiglet/resources/limits/memory",
		"odiglet.resources.limits.memory=256MB":             "/odiglet/resources/limits/memory",
		"odiglet.resources.limits.memory=256m":              "/odiglet/resources/limits/memory",
		"odiglet.resources.limits.memory=-1":                "/odiglet/resources/limits/memory",
		"gateway.resources.requests.cpu=half":               "/gateway/resources/requests/cpu",
		"gateway.resources.requests.ephemeral-storage=much": "/gateway/resources/requests/ephemeral-storage",
		"gateway.resources.limit.memory=1Gi":                "limit",
		"manager.resources.limits.example\\.com/gpu=many":   "/manager/resources/limits/example.com~1gpu",
		"odiglet.capabilities={BPF,FOO}":                    "/odiglet/capabilities/1",
		"odiglet.capabilities={CAP_BPF}":                    "/odiglet/capabilities/0",
		"odiglet.capabilities=null":                         "capabilities",
		"odiglet.tolerations[0].operator=Exist":             "/odiglet/tolerations/0/operator",
		"odiglet.tolerations[0].tolerationSeconds=long":     "/odiglet/tolerations/0/tolerationSeconds",
		"manager.affinity.podAntiAfinity.x=1":               "podAntiAfinity",
		"manager.env[0].value=1":                            "/manager/env/0",
		"manager.env[0].name=A,manager.env[0].value=1":      "/manager/env/0/value",
		"image.digest=latest":                               "/image/digest",
		"image.repository=null":                             "repository",
		"collectorImage.pullPolicy=Sometimes":               "/collectorImage/pullPolicy",
		"imagePullSecrets={registry}":                       "/imagePullSecrets/0",
		"excludedNamespaces={Payments}":                     "/excludedNamespaces/0",
		"allowedAddresses={169.254.20.0}":                   "/allowedAddresses/0",
		"allowedAddresses={169.254.20.0/40}":                "/allowedAddresses/0",
		"agents.delivery=by-hand":                           "/agents/delivery",
		"gateway.podDisruptionBudget.maxUnavailable=some":   "/gateway/podDisruptionBudget/maxUnavailable",
		"gateway.podDisruptionBudget.maxUnvailable=0":       "maxUnvailable",
		"networkPolicies.metricsFrom[0].nameSelector.x=1":   "/networkPolicies/metricsFrom/0",
		"networkPolicies.gatewayEgress[0].ports=443":        "/networkPolicies/gatewayEgress/0/ports",
		"monitoring.podMonitors.interval=30":                "/monitoring/podMonitors/interval",
		"monitoring.dashboard.labels.grafana_dashboard=1":   "/monitoring/dashboard/labels/grafana_dashboard",
		"crds.keep=yes please":                              "/crds/keep",
		"userRoles=null":                                    "userRoles",
		"networkPolicies=null":                              "networkPolicies",
	} {
		t.Run(value, func(t *testing.T) {
			values := map[string]any{}
			if err := strvals.ParseInto(value, values); err != nil {
				t.Fatal(err)
			}
			_, err := render(t, "v1.36.3", values)
			if err == nil {
				t.Fatal("it was accepted")
			}
			if !strings.Contains(err.Error(), wantField) {
				t.Errorf("the refusal does not name %s: %v", wantField, err)
			}
		})
	}
}

// TestRightValuesAreTaken holds that the schema refuses nothing that Kubernetes takes.
func TestRightValuesAreTaken(t *testing.T) {
	for _, value := range []string{
		`odiglet: {resources: {limits: {memory: 268435456}}}`,
		`odiglet: {resources: {limits: {memory: 0.5Gi, cpu: 1}, requests: {cpu: 0.5}}}`,
		`odiglet: {resources: {limits: {memory: 1e9, cpu: 1500m}}}`,
		`odiglet: {resources: {limits: {memory: "129M", hugepages-2Mi: 4Mi, example.com/gpu: 1}}}`,
		`odiglet: {resources: {}}`,
		`odiglet: {nodeSelector: {node-role.kubernetes.io/worker: "", disktype: ssd, spot: "true", n: "1"}}`,
		`odiglet: {tolerations: []}`,
		`odiglet: {tolerations: [{key: dedicated, operator: Equal, value: infra, effect: NoSchedule}, {operator: Exists, effect: NoExecute, tolerationSeconds: 60}]}`,
		`odiglet: {capabilities: [SYS_ADMIN, SYS_PTRACE]}`,
		`manager: {env: [{name: A, value: "1"}, {name: B, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]}`,
		`gateway: {podDisruptionBudget: {minAvailable: 50%}}`,
		`gateway: {affinity: {nodeAffinity: {}}}`,
		`allowedAddresses: [169.254.20.0/24, "fe80::/10", "::ffff:10.0.0.0/104"]`,
		`image: {repository: "localhost:5000/odi", tag: v1.2.3-rc.1, digest: ""}`,
		`networkPolicies: {metricsFrom: [{ipBlock: {cidr: 10.0.0.0/8}}, {namespaceSelector: {}, podSelector: {}}]}`,
		`global: {anything: {at: all}}`,
	} {
		t.Run(value, func(t *testing.T) {
			values := map[string]any{}
			if err := yaml.Unmarshal([]byte(value), &values); err != nil {
				t.Fatal(err)
			}
			if _, err := render(t, "v1.36.3", values); err != nil {
				t.Error(err)
			}
		})
	}
}
