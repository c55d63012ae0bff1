// Package workload knows what a workload is: its kinds, the name of its
// InstrumentedWorkload, which workload a pod belongs to, and which namespaces are
// never touched. It is pure, and used by the manager, the odiglet and the CLI, so
// that all of them mean the same thing by the word.
package workload
