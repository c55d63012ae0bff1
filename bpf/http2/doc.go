// Package http2 is the room of HTTP/2 without encryption (h2c), and of gRPC on it: the
// kernel follows frames and hands over header blocks, this reads them, keeping what each
// connection's compression has said before, and makes one exchange of each stream, and a
// span of that. For the engine, and bpf/protocols.
package http2
