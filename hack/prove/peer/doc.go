// Package peer plays scripts over real sockets with exactly the system calls that
// they name: one thread for each connection, blocking calls, no library between.
//
// From: script.Sides on standard input. To: script.Results on standard output. The
// processes are this program again (Main); c beside it is the same in C, for
// what differs between the two runtimes.
package peer
