// Package cluster is how commands reach a cluster: the standard kubeconfig flags
// in, a client out, and errors that name the cluster and the command that shows
// what is wrong. Every command that talks to a cluster uses it.
package cluster
