// Command demo shows odi at work on a real Kubernetes, in one go: `demo up`
// (make demo) brings up a cluster, installs odi, deploys the shop and a
// Jaeger, instruments the shop, drives traffic and prints a trace that it
// read back from Jaeger. `demo down` (make demo-down) removes all of it.
//
// With KUBECONFIG set, it plays on that cluster, which must be able to pull
// or already hold the images of images.yaml; else on the machine's own.
package main
