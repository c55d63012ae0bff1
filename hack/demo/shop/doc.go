// Package shop is the demo application: small services without any
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
// An order is for what speaks no HTTP, and for TLS; it comes by HTTPS:
//
//	nginx -> frontend (Go) -> orders (Go) -> Redis, PostgreSQL (over TLS)
//	                                      -> stock (Go, gRPC) -> Redis
//
// One folder per service; manifests/ deploys those of a checkout, mixed/ ratings and reviews,
// stored/ orders and its databases. Read by the demo, by the end-to-end test and by `make try`.
package shop
