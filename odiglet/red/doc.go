// Package red aggregates the duration of every request, before any sampling,
// into the histograms http.server.request.duration and
// http.client.request.duration. The pipeline records; once per interval it
// collects OTLP metrics for the exporter.
package red
