// Package libc finds functions of the C library that a process runs on, or will
// run on as soon as its loader has mapped it.
//
// From: a process id. To: a file and an offset in it, for a probe. Works for
// glibc and musl, in the process's own root; static binaries have no library.
package libc
