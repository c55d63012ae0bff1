// Package agentsprocessor is what the data of language agents passes on a node: it
// writes on each resource whose it is, as the odi_agents extension knows it and the
// odiglet writes it on its own spans, whatever was sent. Signals that are not wanted
// of a workload end here, and so do requests that eBPF's spans leave out (paths.go).
package agentsprocessor
