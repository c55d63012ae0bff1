// Package diagnose implements `odi diagnose`: one archive with what somebody needs who is
// to find out why odi does not work, and without secrets (diagnose/redact). Sources are a
// list of values; each reads at the same time as the others, what cannot be read is named
// in the index with the reason, and what is too large is cut.
package diagnose
