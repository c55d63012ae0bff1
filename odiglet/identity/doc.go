// Package identity says as whom a process is reported: it builds the
// OpenTelemetry resource of a process on a plain host or in a pod. Pure; the
// selectors of the odiglet and of `odi run` call it.
package identity
