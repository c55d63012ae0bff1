// Package traffic sends orders to the shop and remembers, by the client's own
// clock, when each request began and ended.
//
// The path of every request carries a marker that the services pass on in the
// path of the requests that they make. So a span shows by itself to which
// request it belongs, whatever its parent says.
//
// From the demo and the end-to-end test to the shop; ./driver is the same
// inside the cluster, where the client's clock is not blurred by a tunnel.
package traffic
