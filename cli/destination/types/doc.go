// Package types implements `odi destination types`: the backends that odi knows,
// read from the destination rooms.
package types
