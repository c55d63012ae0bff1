// Package add implements `odi destination add <type>`: it turns flags, environment
// and answers into one Destination and, for secret fields, one Secret. Flags and
// questions come from the destination rooms; nothing here knows a backend.
package add
