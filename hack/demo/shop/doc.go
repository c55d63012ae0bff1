// Package shop is the demo application: six small services without any
// tracing code, its Kubernetes manifests, and the tree of spans that one
// checkout must make.
//
//	nginx -> frontend (Go) -> catalogue   (Go)     -> pricing (Go, stripped)
//	                       -> recommender (Python) -> pricing
//	                       -> inventory   (Java)   -> pricing
//
// One folder per service; manifests/ deploys them. Read by the demo, by the
// end-to-end test and by `make try`.
package shop
