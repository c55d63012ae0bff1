// Package kube is what the controllers share in their dealings with the API
// server: the settings of the manager, the scheme, what the cache keeps of a
// workload, how a condition and an Event are written.
package kube
