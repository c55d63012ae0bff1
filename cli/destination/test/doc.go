// Package test implements `odi destination test <name>`: does the backend take
// data, and if not, what does it say?
package test
