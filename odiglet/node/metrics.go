package node

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/odi-dev/odi/internal/loss"
	"github.com/odi-dev/odi/internal/version"
	"github.com/odi-dev/odi/odiglet"
)

// Metrics has all that the odiglet says of itself, and what it costs. Without an odiglet it can only be described.
func Metrics(o *odiglet.Odiglet, exportError func() error) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newMetrics(o, exportError), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// metrics are the odiglet's own, read at each scrape.
type metrics struct {
	odiglet     *odiglet.Odiglet
	exportError func() error

	info, seen, sent, queued, dropped, events, parts, targets    *prometheus.Desc
	failures, feature, exportFailing, overflow, runs, runSeconds *prometheus.Desc
	mapBytes                                                     *prometheus.Desc
}

func newMetrics(o *odiglet.Odiglet, exportError func() error) *metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("odi_"+name, help, labels, nil)
	}
	return &metrics{
		odiglet: o, exportError: exportError,
		info:          desc("build_info", "Always 1; the label says which odiglet runs.", "version"),
		seen:          desc("requests_seen_total", "Requests that ended in the kernel: sent + queued + dropped."),
		sent:          desc("spans_sent_total", "Spans that the node collector took."),
		queued:        desc("spans_queued", "Spans on their way."),
		dropped:       desc("spans_dropped_total", "Requests that gave no span, by reason and by whether that was intended or a loss.", "reason", "class"),
		events:        desc("process_events_lost_total", "Process events that the kernel lost; the next scan makes up for them.", "reason"),
		parts:         desc("requests_incomplete_total", "Requests that were recorded without a part: a link, a header, the end of a long head.", "reason"),
		targets:       desc("targets", "Processes that are instrumented."),
		failures:      desc("attach_failures_total", "Failed attempts to detect or attach, by reason.", "reason"),
		feature:       desc("feature", "Always 1; the labels say what this kernel can do.", "name", "state"),
		exportFailing: desc("export_failing", "1 while the node collector does not take the data."),
		overflow:      desc("metric_overflow_total", "Requests that were counted in the series for others."),
		runs:          desc("bpf_program_runs_total", "Runs of each program in the kernel; 0 while its statistics are off.", "program"),
		runSeconds:    desc("bpf_program_run_seconds_total", "Time in each program in the kernel; 0 while its statistics are off.", "program"),
		mapBytes:      desc("bpf_map_bytes", "Kernel memory of all maps."),
	}
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.info, m.seen, m.sent, m.queued, m.dropped, m.events, m.parts, m.targets, m.failures,
		m.feature, m.exportFailing, m.overflow, m.runs, m.runSeconds, m.mapBytes,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(m.info, 1, version.Version)
	balance := m.odiglet.Balance()
	counter(m.seen, float64(balance.Seen))
	counter(m.sent, float64(balance.Sent))
	gauge(m.queued, float64(balance.Queued))
	for _, reason := range balance.Reasons() {
		counter(m.dropped, float64(balance.Dropped[reason]), string(reason), string(loss.Of(reason).Class))
	}
	_, events, parts := m.odiglet.Lost()
	for reason, n := range events {
		counter(m.events, float64(n), reason)
	}
	for reason, n := range parts {
		counter(m.parts, float64(n), reason)
	}
	gauge(m.targets, float64(len(m.odiglet.Targets())))
	for reason, n := range m.odiglet.Manager().Failures() {
		counter(m.failures, float64(n), reason)
	}
	for _, f := range m.odiglet.Features() {
		gauge(m.feature, 1, string(f.Name), string(f.State))
	}
	failing := 0.0
	if m.exportError() != nil {
		failing = 1
	}
	gauge(m.exportFailing, failing)
	counter(m.overflow, float64(m.odiglet.Overflowed()))
	m.collectStats(counter, gauge)
}

func (m *metrics) collectStats(counter, gauge func(*prometheus.Desc, float64, ...string)) {
	stats, err := m.odiglet.Stats()
	if err != nil {
		return // the rest of the page is worth more than an error
	}
	for _, p := range stats.Programs {
		counter(m.runs, float64(p.Runs), p.Name)
		counter(m.runSeconds, float64(p.RunTimeNanos)/1e9, p.Name)
	}
	gauge(m.mapBytes, float64(stats.MapBytes))
}
