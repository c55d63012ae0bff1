// Package authority makes the certificates by which odi's own components know
// each other. Authorities of one Hop sign for that hop alone: who holds a client
// certificate of them may send over it, and nobody else may. Everything is a
// value: the certificates controller keeps them in Secrets, tests in files.
package authority
