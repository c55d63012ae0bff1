// Package spans is the way of a request through the odiglet: an exchange of the
// engine is decoded, counted in the metrics of its service, left out where the
// user or the kubelet does not want it, and encoded into the batch that goes to
// the exporter next, below the resource of its process.
package spans
