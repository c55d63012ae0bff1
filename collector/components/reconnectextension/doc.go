// Package reconnectextension makes OTLP/gRPC exporters look for a lost backend
// every few seconds. gRPC's own pause between attempts grows to two minutes,
// so a backend that is back would stay unnoticed that long.
//
// An exporter uses it as a middleware: middlewares: [{id: odi_reconnect}].
package reconnectextension
