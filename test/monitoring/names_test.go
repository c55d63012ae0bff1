package monitoring

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	_ "github.com/odi-dev/odi/controllers" // registers what controllers count
	"github.com/odi-dev/odi/instrumentor"
	"github.com/odi-dev/odi/internal/collectorconfig"
	"github.com/odi-dev/odi/odiglet/node"
)

// known are the metrics that exist: Prometheus' own word of a target, and what the three programs register.
func known(t *testing.T) map[string]bool {
	t.Helper()
	manager, ok := metrics.Registry.(prometheus.Collector)
	if !ok {
		t.Fatalf("the manager's registry is a %T", metrics.Registry)
	}
	webhook := prometheus.NewRegistry()
	if err := instrumentor.RegisterMetrics(webhook); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{"up": true}
	for _, name := range collectorconfig.OwnMetrics() { // TestAlertsAreMadeOfWhatCollectorsSay reads them of real ones.
		names[name] = true
	}
	for _, registry := range []prometheus.Collector{manager, webhook, node.Metrics(nil, nil)} {
		for _, name := range described(registry) {
			names[name] = true
		}
	}
	return names
}

var fqName = regexp.MustCompile(`fqName: "([^"]+)"`)

// described are the names of all that a registry can have, whether it has values or not.
func described(registry prometheus.Collector) []string {
	found := make(chan *prometheus.Desc)
	go func() {
		registry.Describe(found)
		close(found)
	}()
	var names []string
	for desc := range found {
		names = append(names, fqName.FindStringSubmatch(desc.String())[1])
	}
	return names
}

// words of PromQL that are no metrics.
var words = []string{
	"sum", "max", "min", "by", "without", "rate", "increase", "histogram_quantile", "and", "or", "unless", "on", "ignoring",
}

var (
	// notNames are what else holds identifiers: matchers, lists of labels, ranges and Grafana's variables.
	notNames   = regexp.MustCompile(`\{[^}]*\}|(?:by|without|on|ignoring) \([^)]*\)|\[[^\]]*\]`)
	identifier = regexp.MustCompile(`[A-Za-z_:][A-Za-z0-9_:]*`)
)

// metricsIn are the metrics that an expression names.
func metricsIn(expression string) []string {
	var found []string
	for _, name := range identifier.FindAllString(notNames.ReplaceAllString(expression, " "), -1) {
		if !slices.Contains(words, name) {
			found = append(found, name)
		}
	}
	return found
}

// exists says whether there is a metric; a histogram is known by its base.
func exists(known map[string]bool, name string) bool {
	return known[name] || known[strings.TrimSuffix(name, "_bucket")]
}

func TestEveryMetricOfAnAlertOrPanelExists(t *testing.T) {
	all := known(t)
	seen := 0
	for where, expression := range expressions(t) {
		names := metricsIn(expression)
		if len(names) == 0 {
			t.Errorf("%s names no metric: %s", where, expression)
		}
		for _, name := range names {
			seen++
			if !exists(all, name) {
				t.Errorf("%s: there is no metric %s", where, name)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d metrics were looked at", seen)
	}
}

func TestWhatIsNoMetricIsFound(t *testing.T) {
	for expression, want := range map[string]string{
		`sum by (a, b) (rate(odi_x_total{class="lost"}[5m])) > 0`:                      "odi_x_total",
		`histogram_quantile(0.99, sum by (le) (rate(odi_s_bucket[$__rate_interval])))`: "odi_s_bucket",
		`up{odi_component!=""} == 0`:                                                   "up",
	} {
		if got := strings.Join(metricsIn(expression), " "); got != want {
			t.Errorf("%s names %q, want %q", expression, got, want)
		}
	}
	if exists(known(t), "odi_made_up") {
		t.Error("a metric that nobody has is known")
	}
}
