// Package script holds what one side of one connection is to do, call by call:
// in, from a conversation of package talk; out, to a process that plays it with
// exactly these system calls (package peer, or its twin in C).
//
// A script and its result travel between processes as bytes (Write, Read); the
// format is little-endian words, so that a program in C reads it in a few lines.
package script
