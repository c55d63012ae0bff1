// Package e2e proves odi on real input: on a real Kubernetes it installs odi,
// instruments the shop that runs there, sends requests, and asserts from what
// a real Jaeger returns.
//
// Run it with `make test-e2e` (build tag e2e). With KUBECONFIG set it plays on
// that cluster; else on a local cluster of its own, which it removes.
//
// The checks of one story follow each other in story_test.go; each is a
// subtest in the file of its name. What is wrong with a trace is decided in
// ./judge.
package e2e
