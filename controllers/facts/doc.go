// Package facts folds what the odiglets of all nodes see of one workload into
// its InstrumentedWorkload: what runs in it, and whether it is instrumented.
//
// From: the NodeInstrumentations, which odiglets write, and the decisions.
// To: the status of the InstrumentedWorkload: runtimes, pods, containers and the
// conditions RuntimeDetected and Instrumented.
package facts
