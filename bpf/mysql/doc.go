// Package mysql is the room of the protocol of MySQL, which MariaDB and others speak as
// well.
//
// Each query and each execution of a prepared statement is one request. The text of a
// statement leaves the room without its literals; parameters and rows never leave the
// process.
package mysql
