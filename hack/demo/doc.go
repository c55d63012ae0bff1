// Command demo shows odi at work on a real Kubernetes, in one go: `demo up`
// (make demo) brings up a cluster, installs odi, deploys the shop and a
// Jaeger, instruments the shop, drives traffic and prints a trace that it
// read back from Jaeger; then once more with language agents in three
// services. `demo down` (make demo-down) removes all of it.
//
// With KUBECONFIG set, it plays on that cluster; else on the machine's own. Such
// a cluster gets the images from the registry that ODI_REGISTRY names, to which
// the demo pushes them, or its nodes hold them already. Nothing is touched there
// that the demo has not made, and `demo down` removes no more than that.
package main
