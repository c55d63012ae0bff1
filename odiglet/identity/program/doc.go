// Package program tells what people call a process from its command line: the
// script, module, archive or application that an interpreter, a server or a
// wrapper was given, never an option's value or a sub-command. It is pure but for
// what it asks Files for. identity calls it.
package program
