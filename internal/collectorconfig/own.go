package collectorconfig

// RefusedSpansMetric and its siblings count what a backend refused for good, by exporter.
const (
	RefusedSpansMetric  = "otelcol_exporter_send_failed_spans"
	RefusedPointsMetric = "otelcol_exporter_send_failed_metric_points"
	// OverflownSpansMetric and its sibling count what found a queue full, by exporter.
	OverflownSpansMetric  = "otelcol_exporter_enqueue_failed_spans"
	OverflownPointsMetric = "otelcol_exporter_enqueue_failed_metric_points"
)

// OwnMetrics are those metrics of the collectors that the chart's alerts and dashboard are made of, as a Prometheus
// server sees them. They come from the Collector and from components of odi's; a new release may rename them.
func OwnMetrics() []string {
	return []string{
		ConfiguredMetric, HeartbeatMetric, QueuedMetric, DamagedMetric,
		RefusedSpansMetric, RefusedPointsMetric, OverflownSpansMetric, OverflownPointsMetric,
		"odi_agents_refused",
		"odi_queue_disk",
		"otelcol_exporter_queue_capacity",
		"otelcol_exporter_queue_size",
		"otelcol_exporter_sent_metric_points",
		"otelcol_exporter_sent_spans",
		"otelcol_process_cpu_seconds",
		"otelcol_process_memory_rss",
		"otelcol_receiver_accepted_spans",
	}
}
