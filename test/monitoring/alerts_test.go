package monitoring

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	releasev1 "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/yaml"

	"github.com/odi-dev/odi/charts"
	"github.com/odi-dev/odi/internal/testkit/program"
)

// object is as much of a Kubernetes object as matters here.
type object struct {
	Kind     string            `json:"kind"`
	Metadata map[string]any    `json:"metadata"`
	Spec     json.RawMessage   `json:"spec"`
	Data     map[string]string `json:"data"`
}

// rendered are the chart's objects of one kind.
func rendered(t *testing.T, kind string, values map[string]any) []object {
	t.Helper()
	chart, err := charts.Load()
	if err != nil {
		t.Fatal(err)
	}
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler)))
	install.ReleaseName, install.Namespace, install.DryRunStrategy = "odi", "odi-system", action.DryRunClient
	if install.KubeVersion, err = common.ParseKubeVersion("v1.36.3"); err != nil {
		t.Fatal(err)
	}
	made, err := install.RunWithContext(t.Context(), chart, values)
	if err != nil {
		t.Fatal(err)
	}
	var found []object
	for _, document := range strings.Split(made.(*releasev1.Release).Manifest, "\n---\n") {
		var o object
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if o.Kind == kind {
			found = append(found, o)
		}
	}
	return found
}

func on(what string) map[string]any {
	return map[string]any{"monitoring": map[string]any{what: map[string]any{"enabled": true, "labels": map[string]any{"release": "mine"}}}}
}

// rules is the chart's PrometheusRule as a file of rules.
func rules(t *testing.T) (text string, alerts map[string]string) {
	t.Helper()
	found := rendered(t, "PrometheusRule", on("alerts"))
	if len(found) != 1 {
		t.Fatalf("%d PrometheusRules, want 1", len(found))
	}
	var spec struct {
		Groups []struct {
			Rules []struct {
				Alert string `json:"alert"`
				Expr  string `json:"expr"`
			} `json:"rules"`
		} `json:"groups"`
	}
	if err := json.Unmarshal(found[0].Spec, &spec); err != nil {
		t.Fatal(err)
	}
	alerts = map[string]string{}
	for _, group := range spec.Groups {
		for _, rule := range group.Rules {
			alerts[rule.Alert] = rule.Expr
		}
	}
	out, err := yaml.JSONToYAML(found[0].Spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), alerts
}

// panels are the dashboard's expressions, by their panel's title.
func panels(t *testing.T) map[string]string {
	t.Helper()
	found := rendered(t, "ConfigMap", on("dashboard"))
	if len(found) != 1 {
		t.Fatalf("%d ConfigMaps, want the dashboard", len(found))
	}
	var dashboard struct {
		Panels []struct {
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal([]byte(found[0].Data["odi.json"]), &dashboard); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, panel := range dashboard.Panels {
		for i, target := range panel.Targets {
			all[fmt.Sprintf("panel %q, %d", panel.Title, i)] = target.Expr
		}
	}
	if len(all) < 15 {
		t.Fatalf("only %d expressions in the dashboard", len(all))
	}
	return all
}

// expressions are those of alerts and panels, by where they are.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := panels(t)
	_, alerts := rules(t)
	for name, expression := range alerts {
		all["alert "+name] = expression
	}
	return all
}

// promtool runs on files that the test writes.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := program.Command(t, "promtool", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("promtool %v: %v\n%s", args, err, out)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestEveryAlertFires has promtool play half an hour in which everything goes wrong, and one in which nothing does.
func TestEveryAlertFires(t *testing.T) {
	text, alerts := rules(t)
	all := slices.Sorted(maps.Keys(alerts))
	for given, want := range map[string][]string{"trouble": all, "quiet": nil} {
		t.Run(given, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "rules.yaml"), text)
			promtool(t, dir, "check", "rules", "rules.yaml")
			write(t, filepath.Join(dir, "test.yaml"), playing(t, filepath.Join("testdata", given+".yaml"), want))
			promtool(t, dir, "test", "rules", "test.yaml")
		})
	}
}

// playing is a test for promtool: of the series in a file, exactly these alerts come.
func playing(t *testing.T, file string, alerts []string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var series []any
	if err := yaml.Unmarshal(content, &series); err != nil {
		t.Fatal(err)
	}
	var samples []any
	for _, alert := range alerts {
		samples = append(samples, map[string]any{"labels": fmt.Sprintf("{alertname=%q}", alert), "value": 1})
	}
	test, err := yaml.Marshal(map[string]any{
		"rule_files": []string{"rules.yaml"}, "evaluation_interval": "1m",
		"tests": []any{map[string]any{
			"interval": "1m", "input_series": series,
			"promql_expr_test": []any{map[string]any{
				"expr": `max by (alertname) (ALERTS{alertstate="firing"})`, "eval_time": "29m", "exp_samples": samples,
			}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(test)
}

// TestPanelsCanBeAsked has promtool read each expression of the dashboard.
func TestPanelsCanBeAsked(t *testing.T) {
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var list []rule
	for _, expression := range panels(t) {
		list = append(list, rule{fmt.Sprintf("panel:%d", len(list)), strings.ReplaceAll(expression, "$__rate_interval", "5m")})
	}
	content, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "panels", "rules": list}}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "panels.yaml"), string(content))
	promtool(t, dir, "check", "rules", "panels.yaml")
}

func TestMonitoringIsOffByDefault(t *testing.T) {
	for _, kind := range []string{"PodMonitor", "PrometheusRule", "ConfigMap"} {
		if found := rendered(t, kind, nil); len(found) > 0 {
			t.Errorf("%d %ss without being asked for", len(found), kind)
		}
	}
}

// TestPodMonitorsFindEveryComponent: each pod of odi's is selected by one PodMonitor, which names a port that it has.
func TestPodMonitorsFindEveryComponent(t *testing.T) {
	monitors := map[string]string{} // the port of a component's metrics
	for _, o := range rendered(t, "PodMonitor", on("podMonitors")) {
		var spec struct {
			Selector  struct{ MatchLabels map[string]string }
			Endpoints []struct{ Port string } `json:"podMetricsEndpoints"`
		}
		if err := json.Unmarshal(o.Spec, &spec); err != nil {
			t.Fatal(err)
		}
		monitors[spec.Selector.MatchLabels["app.kubernetes.io/component"]] = spec.Endpoints[0].Port
		if labels := fmt.Sprint(o.Metadata["labels"]); !strings.Contains(labels, "release:mine") {
			t.Errorf("the user's labels are missing: %s", labels)
		}
	}
	pods := append(rendered(t, "Deployment", nil), rendered(t, "DaemonSet", nil)...)
	for _, o := range pods {
		var spec struct {
			Template struct {
				Metadata struct{ Labels map[string]string }
				Spec     struct {
					Containers []struct{ Ports []struct{ Name string } }
				}
			}
		}
		if err := json.Unmarshal(o.Spec, &spec); err != nil {
			t.Fatal(err)
		}
		port := monitors[spec.Template.Metadata.Labels["app.kubernetes.io/component"]]
		if port == "" || !slices.Contains(spec.Template.Spec.Containers[0].Ports, struct{ Name string }{port}) {
			t.Errorf("%v: nobody reads its metrics (port %q)", o.Metadata["name"], port)
		}
		if spec.Template.Metadata.Labels["app.kubernetes.io/part-of"] != "odi" {
			t.Errorf("%v is not selected", o.Metadata["name"])
		}
	}
	if len(pods) != 4 || len(monitors) != 4 {
		t.Errorf("%d PodMonitors for %d components", len(monitors), len(pods))
	}
}

// TestEveryAlertIsExplained: the page that an alert links to has a word on it.
func TestEveryAlertIsExplained(t *testing.T) {
	page, err := os.ReadFile("../../docs/monitoring.md")
	if err != nil {
		t.Fatal(err)
	}
	text, alerts := rules(t)
	for alert := range alerts {
		if !strings.Contains(string(page), "\n### "+alert+"\n") || !strings.Contains(text, "monitoring.md#"+strings.ToLower(alert)) {
			t.Errorf("docs/monitoring.md does not explain %s, or it does not link there", alert)
		}
	}
	if got := strings.Count(string(page), "\n### Odi"); got != len(alerts) {
		t.Errorf("docs/monitoring.md explains %d alerts, there are %d", got, len(alerts))
	}
}
