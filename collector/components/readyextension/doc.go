// Package readyextension lets a collector take data only when all of it runs.
//
// The OTLP receiver is one server for all signals, and begins to serve when the
// first of them is ready: data of another signal meets exporters that were not
// started, which ends the process. With many destinations that takes seconds,
// at each reload. What is refused meanwhile the sender repeats.
//
// The receiver uses it as a middleware: middlewares: [{id: odi_ready}].
package readyextension
