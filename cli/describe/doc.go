// Package describe implements `odi describe <kind>/<name>`: the chain of decisions
// from the wish to the trace, and in one line why there is no trace.
package describe
