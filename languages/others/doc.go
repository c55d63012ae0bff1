// Package others recognises runtimes by the name of their executable alone: those with one well-known name,
// no agent, and nothing else to find out.
package others
