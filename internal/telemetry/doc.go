// Package telemetry holds the words of the OpenTelemetry semantic conventions
// that odi emits: the pinned schema, scope names, and attribute keys. Whoever
// makes a span, a metric or a resource takes its words from here.
package telemetry
