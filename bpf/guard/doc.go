// Package guard lets the sockets of watched programs go without losing a byte,
// also when the process that loaded the engine was killed.
//
// From: an iterator over a socket map. To: a map without sockets. Bytes that the
// kernel queued for a socket in a map with a verdict program are lost when the
// socket leaves the map, and all leave it when the map goes. So the guard is a
// process of its own that holds what the map needs; it sleeps until its parent
// has ended, takes each socket out when nothing waits in it, and ends.
package guard
