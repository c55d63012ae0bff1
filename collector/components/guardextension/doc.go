// Package guardextension keeps exporters from addresses that are no backend's:
// loopback and the node, the metadata services of clouds, the API server, the
// process itself. A tenant names an address, and the name may mean another one
// tomorrow: so each connection is judged when it is made, after the name was
// resolved. Redirects are not followed, and proxies not used, for the same reason.
//
// Every exporter of the gateway that sends over a network uses it as its last
// middleware: middlewares: [..., {id: odi_guard}].
package guardextension
