// Package trace is a trace as its reader sees it: spans with their parents,
// made from OTLP (From), walked as a tree (Roots, Children) and printed
// (Print). Read by the demo and by the end-to-end test.
package trace
