// Package selection makes the InstrumentedWorkloads of a namespace what its
// InstrumentationConfigs select, and says in both what was selected and why.
//
// From: InstrumentationConfigs, the workloads of the namespace, the namespace.
// To: one InstrumentedWorkload per selected workload (its spec but the containers,
// its condition Selected), and the whole status of the InstrumentationConfigs.
// The folder is called after the outcome; `select` is a keyword of Go.
package selection
