// Package outbound says where the gateway may not send data, whoever asks for
// it: to itself or another part of odi (a circle), to its own node and loopback,
// to the API server and the metadata services of clouds, which trust it more
// than they trust a tenant. Private ranges are allowed: that is where backends
// in a cluster live.
//
// The destination controller asks it about what users write. What a name
// resolves to is judged by the gateway itself each time that it connects
// (collector/components/guardextension), by the same ranges.
package outbound
