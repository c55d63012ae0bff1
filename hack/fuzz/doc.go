// Command fuzz runs every fuzz target of this module, a few at a time, each for a while:
//
//	make fuzz ARGS="-each 5m -run FuzzTake"
//
// It finds the targets itself, and prints each as `go test -v` prints a test. It fails when one
// fails, when one has tried nothing, and when it finds fewer than there must be. A failing input
// stays in testdata/fuzz beside the target, where `go test` runs it from then on: commit it with
// the fix. What else fuzzing has learned goes with the run, so that no cache grows; what is worth
// keeping becomes a seed.
package main
