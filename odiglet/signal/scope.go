package signal

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/odi-dev/odi/internal/telemetry"
	"github.com/odi-dev/odi/internal/version"
)

// AppendScope adds a copy of the resource, with a scope of odi's, and returns the metrics of that.
func AppendScope(md pmetric.Metrics, resource pcommon.Resource, scope string) pmetric.MetricSlice {
	rm := md.ResourceMetrics().AppendEmpty()
	resource.CopyTo(rm.Resource())
	rm.SetSchemaUrl(telemetry.SchemaURL)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(scope)
	sm.Scope().SetVersion(version.Version)
	sm.SetSchemaUrl(telemetry.SchemaURL)
	return sm.Metrics()
}

// AppendMetric adds a metric that has no points yet.
func AppendMetric(to pmetric.MetricSlice, name, unit, description string) pmetric.Metric {
	m := to.AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	m.SetDescription(description)
	return m
}
