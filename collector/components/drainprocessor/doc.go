// Package drainprocessor holds up the end of the process until the queues are
// empty: a queue on a disk is left as it is when its exporter stops, and the
// disk of a pod goes with the pod.
//
// It stands right behind the receivers. A collector stops its components in the
// order in which data passes them, so by then nothing comes in any more and
// everything behind still works. A reload does not wait: the next configuration
// takes up the queues.
package drainprocessor
