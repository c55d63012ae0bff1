// Package attach keeps the targets of the engine equal to what is selected. It
// holds one record per process of the machine, from process events and a scan
// of /proc; a Selector decides which are targets; detection says how each is
// treated. The odiglet and `odi run` run one Manager each.
//
// One goroutine (Manager.Run) changes the records, so that nothing overtakes
// anything; everybody else reads.
package attach
