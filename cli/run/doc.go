// Package run implements `odi run`: the node agent on one host, without
// Kubernetes. Its flags become a selector and a sink of the odiglet; spans go
// to the terminal as a tree per trace, to standard output as OTLP/JSON, or to
// an OTLP receiver.
package run
