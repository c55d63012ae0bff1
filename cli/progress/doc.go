// Package progress waits for several things at once and shows how each of them
// gets on: one line that is redrawn per thing on a terminal, one line per change
// in a log.
package progress
