// Package handshake is the room of TLS: not of what is encrypted, but of how it begins. The
// kernel hands over what both sides of a connection have said in the clear until it was
// encrypted or ended, whoever encrypts; this reads versions, cipher suites, names, alerts and,
// up to TLS 1.2, when the server's certificate expires. For the engine, and bpf/protocols.
package handshake
