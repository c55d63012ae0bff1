// Package selected is what instrument and uninstrument share: the wish of a command
// line - a namespace or one workload - as an InstrumentationConfig, checked against
// what is in the cluster.
package selected
