// Package complete lists what is in the cluster for shell completion. It is quick
// and silent: without a cluster there is simply nothing to complete.
package complete
