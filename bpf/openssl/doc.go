// Package openssl finds where programs hand plaintext to OpenSSL and get it back.
//
// From: a process id. To: files and offsets in them, for probes. Knows OpenSSL 1.1.1 and 3
// (and what has its interface, as LibreSSL), as a shared library, under its own name or one
// that a wheel has given it, and linked into an executable that exports its functions,
// as Node.js does. A copy whose functions are hidden is not found.
package openssl
