// Package shop is the demo application: eight small services without any
// tracing code, its Kubernetes manifests, and the tree of spans that one
// checkout must make.
//
//	nginx -> frontend (Go) -> catalogue   (Go)     -> pricing (Go, stripped)
//	                       -> recommender (Python) -> pricing
//	                       -> inventory   (Java)   -> pricing
//
// A product page is for the demo of language agents:
//
//	nginx -> frontend (Go) -> inventory (Java)          -> pricing
//	                       -> ratings   (Python, Flask) -> reviews (Node.js, Express) -> pricing
//
// One folder per service; manifests/ deploys them, mixed/ the last two. Read by the demo, by the
// end-to-end test and by `make try`.
package shop
