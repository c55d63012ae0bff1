// Package injection proves, on a real API server, that the pod webhook never keeps a
// pod from being made and changes nothing but what docs/agents.md says:
//
//	make prove-injection
//
// Pods are generated and taken from a list of what people run; each is tried by dry-run
// in a namespace with the webhook and in one without.
package injection
