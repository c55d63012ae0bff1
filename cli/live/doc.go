// Package live asks the odiglets for what no Kubernetes object holds: processes,
// books, export errors. It goes through the API server's pod proxy, and whatever
// cannot be reached is simply missing from the answer.
package live
