// Package agentsextension knows who sends: the pods of the node, by the addresses
// that they send from. Language agents have no certificates, and what they say of
// themselves is worth nothing.
//
// The odiglet of the node, and nobody else, puts the table of pods here, over TLS
// with certificates on both ends (server.go). The receiver for agents asks before it
// reads a request (middleware.go); the odi_agents processor asks whose the data is.
// What agents reported is counted by container (witness.go), and the odiglet reads it.
package agentsextension
