// Package testkit is what tests of several rooms need: a real API server with
// odi's kinds, a manager with the controllers under test, waiting without
// sleeping, and honest skips.
package testkit
