// Package jaeger reads traces back from Jaeger's query API (version 3, which
// answers in OTLP), and holds the manifest of the Jaeger that the demo deploys.
package jaeger
