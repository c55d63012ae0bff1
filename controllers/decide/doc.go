// Package decide chooses how each container of a selected workload is
// instrumented, and says why in one word and one sentence.
//
// From: an InstrumentedWorkload, its InstrumentationConfig, the containers of the
// workload's pod template, the runtimes that odiglets detected.
// To: spec.containers of the InstrumentedWorkload (which the odiglets obey), its
// status.methods and its condition Decided.
// A choice is made as soon as a workload is selected and revised when a runtime
// is known: waiting for detection would cost the first spans.
package decide
