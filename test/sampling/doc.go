// Package sampling holds the test that a share of the traces is recorded whole: across programs and protocols, by
// the rule of where the trace begins.
package sampling
