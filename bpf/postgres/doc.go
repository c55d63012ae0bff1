// Package postgres is the room of the protocol of PostgreSQL, version 3, which many
// others speak as well.
//
// What a client asks for until it waits for the server is one request: a query, or what
// is parsed, bound and executed up to a Sync. The text of a statement leaves the room
// without its literals; parameters, rows and copied data never leave the process.
package postgres
