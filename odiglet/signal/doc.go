// Package signal has a value for each signal that odi exports. The pipelines make
// batches of a signal; odiglet/export queues and sends those of any, by what the
// value says.
package signal
