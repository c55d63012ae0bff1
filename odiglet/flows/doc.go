// Package flows makes metrics of how TCP connections are doing, which the engine sums up per
// process and peer: under the resource of the process's service, cumulative, and bounded.
package flows
