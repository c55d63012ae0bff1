// Package streams holds the standard streams of one invocation of odi, so that
// every command can be run by a test with buffers in their place.
package streams
