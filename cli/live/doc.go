// Package live asks the odiglets for what no Kubernetes object holds: processes,
// books, export errors. It asks as `kubectl port-forward` does, and whatever
// cannot be reached is simply missing from the answer.
package live
