// Package redis is the room of the protocol of Redis, RESP2 and RESP3, which Valkey and
// others speak as well.
//
// The commands that a program writes with one call are one request: a pipeline is a
// batch. Only the names of commands and the codes of errors leave the process; keys,
// values and scripts never do.
package redis
