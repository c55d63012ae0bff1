package charts_test

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/yaml"

	"github.com/odi-dev/odi/charts"
)

var update = flag.Bool("update", false, "write the golden files")

// render is `helm template`, for an API server that has kinds of its release and the named ones.
func render(t *testing.T, kubernetes string, values map[string]any, kinds ...string) (string, error) {
	t.Helper()
	chart, err := charts.Load()
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler)))
	install.ReleaseName, install.Namespace = "odi", "odi-system"
	install.DryRunStrategy = action.DryRunClient
	install.KubeVersion, err = common.ParseKubeVersion(kubernetes)
	if err != nil {
		t.Fatal(err)
	}
	install.APIVersions = common.VersionSet(kinds)
	rendered, err := install.RunWithContext(t.Context(), chart, values)
	if err != nil {
		return "", err
	}
	return rendered.(*releasev1.Release).Manifest, nil
}

func TestRenderedManifests(t *testing.T) {
	tests := map[string]struct {
		golden     string
		kubernetes string
		values     string
	}{
		"defaults":                            {golden: "default.yaml", kubernetes: "v1.36.3", values: "crds: {install: false}"},
		"every value changed, and privileged": {golden: "changed.yaml", kubernetes: "v1.28.0", values: changed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			values := map[string]any{}
			if err := yaml.Unmarshal([]byte(tc.values), &values); err != nil {
				t.Fatal(err)
			}
			got, err := render(t, tc.kubernetes, values)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", tc.golden)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("manifests (-want +got); -update writes them:\n%s", diff)
			}
		})
	}
}

const changed = `
crds: {install: false}
image: {repository: registry.example.com/odi, tag: dev, pullPolicy: Always}
collectorImage: {repository: registry.example.com/collector, tag: dev, pullPolicy: Always}
imagePullSecrets: [{name: my-registry}]
cluster: {name: eu-1, environment: production}
excludedNamespaces: [payments, legacy]
agents: {repository: registry.example.test/odi, pullSecret: registry, webhook: false, delivery: image-volume}
manager:
  replicas: 2
  logLevel: debug
  nodeSelector: {role: control}
  tolerations: [{key: control, operator: Exists}]
  affinity: {podAntiAffinity: {}}
  env: [{name: HTTPS_PROXY, value: http://proxy:3128}]
odiglet:
  logLevel: debug
  privileged: true
  nodeSelector: {kubernetes.io/os: linux}
  priorityClassName: system-node-critical
  env: [{name: GOGC, value: "50"}]
gateway:
  nodeSelector: {role: control}
  tolerations: [{key: control, operator: Exists}]
  priorityClassName: system-cluster-critical
  podDisruptionBudget: {maxUnavailable: 0}
nodeIsolation: false
userRoles: false
admissionPolicies: false
monitoring:
  podMonitors: {enabled: true, labels: {release: mine}, interval: 10s}
networkPolicies:
  metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
  gatewayEgress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]
`

func TestKindsComeAndStayAsTheValuesSay(t *testing.T) {
	const keep = "helm.sh/resource-policy: keep"
	tests := map[string]struct {
		values              map[string]any
		wantKinds, wantKept int
	}{
		"by default they come with the release and stay": {wantKinds: 4, wantKept: 4},
		"they go with it":        {values: map[string]any{"crds": map[string]any{"keep": false}}, wantKinds: 4},
		"somebody else installs": {values: map[string]any{"crds": map[string]any{"install": false}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := render(t, "v1.36.3", tc.values)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(got, "\nkind: CustomResourceDefinition\n"); n != tc.wantKinds {
				t.Errorf("%d kinds, want %d", n, tc.wantKinds)
			}
			if n := strings.Count(got, keep); n != tc.wantKept {
				t.Errorf("%d are kept, want %d", n, tc.wantKept)
			}
		})
	}
}

func TestOldKubernetesIsRefused(t *testing.T) {
	_, err := render(t, "v1.27.9", nil)
	if err == nil || !strings.Contains(err.Error(), "1.28") {
		t.Errorf("got %v, want a word about 1.28", err)
	}
}

// TestCopiesAreCurrent: Helm reads only files inside the chart, so that those of
// config/ are copied by `make generate`.
func TestCopiesAreCurrent(t *testing.T) {
	for from, to := range map[string]string{"../config/crd": "odi/files/crds", "../config/rbac": "odi/files/rbac"} {
		want, got := folder(t, from), folder(t, to)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs from %s; run make generate (-want +got):\n%s", to, from, diff)
		}
	}
}

func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no file in %s (%v)", dir, err)
	}
	files := map[string]string{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(data)
	}
	return files
}

func TestLint(t *testing.T) {
	result := action.NewLint().Run([]string{"odi"}, nil)
	for _, message := range result.Messages {
		if message.Severity > 1 { // 1 is information
			t.Error(fmt.Sprint(message))
		}
	}
}
