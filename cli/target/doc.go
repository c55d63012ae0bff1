// Package target reads what people name on a command line, the same way in every
// command: kind/name or kind name, with the names and short names that kubectl takes.
package target
