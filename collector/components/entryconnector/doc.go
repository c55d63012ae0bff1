// Package entryconnector is what all data passes between the gateway's
// receivers and the lanes of its destinations.
//
// A destination may lead back to the gateway, over any number of other
// collectors. So each resource that comes in gets the gateway's own name into
// the attribute odi.hops, and what comes back with it is dropped and counted
// (odi_entry_dropped). Gateways of other clusters have other names: one may
// send to the next.
package entryconnector
