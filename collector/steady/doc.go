// Package steady runs the collector so that no configuration can end it. One
// that does not start loses the parts that the collector's complaint names; when
// it names none, the configuration that ran before stays. The process goes on.
//
// `odi-collector try` is the other half: it starts everything that a
// configuration has, on ports and in a folder that are thrown away, and ends.
// The manager asks it about each Destination before the gateway sees any of it.
//
// `odi-collector ask` sends a marked span, metric and log record through the
// exporters of one destination, and prints what the backend answered.
package steady
