// Package dns is the room of DNS: the kernel hands over what clients send to port 53 and what
// comes back, this pairs questions with answers by socket, id and name, puts together what is
// proven to be one lookup (addresses of both kinds, the names of a search list, the same over
// TCP after an answer that was cut), and makes one exchange of it. Answers' contents go no
// further. For the engine, and bpf/protocols.
package dns
