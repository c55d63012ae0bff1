// Package monitoring compares the chart's alerts and dashboard with the metrics that odi's programs have,
// and tries the alerts with promtool.
package monitoring
