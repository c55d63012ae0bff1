// Package golang knows what the engine needs to know about a Go binary: where
// the runtime keeps goroutine ids, and where to put the one probe.
//
// From: an executable, stripped or not. To: Facts. Called when a target is added.
package golang

//go:generate go run ./offsetgen offsets_table.go
