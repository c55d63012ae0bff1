// Package odiglet is the node agent: it loads the kernel engine, keeps it
// attached to the selected processes, and sends what they do as spans and
// metrics. Who is selected and where it goes is given: by the Kubernetes API
// (package node) or by the flags of `odi run` (package host).
//
// The way of a request: bpf -> spans.Pipeline -> export.Sink; of a process:
// attach.Manager -> bpf.
package odiglet
