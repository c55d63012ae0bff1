// Package red aggregates the duration of every request, before any sampling,
// into the histograms that their protocols name, by the labels that they mark. The
// pipeline records; once per interval it collects OTLP metrics for the exporter.
package red
