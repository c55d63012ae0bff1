// Package export sends batches of spans and metrics away: by OTLP over gRPC or
// HTTP with a bounded queue and retries, or as OTLP/JSON lines to a writer. The
// pipeline of the odiglet and `odi run` are its callers. It keeps the books of
// what was sent and what was not, by reason.
package export
