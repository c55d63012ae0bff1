package agenttest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// Metric is what the semantic conventions say about one. Kind is Gauge, Sum or Histogram; Keys are the attributes
// of its points, in order, with commas.
type Metric struct{ Kind, Unit, Keys string }

func (c *Collector) keepMetrics(content []byte, json bool) error {
	request := pmetricotlp.NewExportRequest()
	read := request.UnmarshalProto
	if json {
		read = request.UnmarshalJSON
	}
	if err := read(content); err != nil {
		return fmt.Errorf("reading metrics: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range request.Metrics().ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				c.metrics[metric.Name()] = Metric{metric.Type().String(), metric.Unit(), strings.Join(keys(metric), ",")}
			}
		}
	}
	return nil
}

// keys are the attributes of all points.
func keys(metric pmetric.Metric) []string {
	found := map[string]bool{}
	add := func(attributes pcommon.Map) {
		for key := range attributes.All() {
			found[key] = true
		}
	}
	switch metric.Type() {
	case pmetric.MetricTypeGauge:
		for _, point := range metric.Gauge().DataPoints().All() {
			add(point.Attributes())
		}
	case pmetric.MetricTypeSum:
		for _, point := range metric.Sum().DataPoints().All() {
			add(point.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for _, point := range metric.Histogram().DataPoints().All() {
			add(point.Attributes())
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Metrics are those that came until now, by their names.
func (c *Collector) Metrics() map[string]Metric {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.metrics)
}

// WantMetrics waits for metrics, and wants them to be as the semantic conventions say.
func (c *Collector) WantMetrics(t testing.TB, want map[string]Metric) {
	t.Helper()
	missing := func() []string {
		var names []string
		came := c.Metrics()
		for name := range want {
			if _, ok := came[name]; !ok {
				names = append(names, name)
			}
		}
		return names
	}
	for deadline := time.Now().Add(10 * time.Second); len(missing()) > 0 && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	came := c.Metrics()
	for name, metric := range want {
		if got := came[name]; got != metric {
			t.Errorf("the metric %s is %+v, want %+v; there are %v", name, got, metric, slices.Sorted(maps.Keys(came)))
		}
	}
}
