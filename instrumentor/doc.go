// Package instrumentor gives pods their language agents. Inject is pure: a pod and
// a decision in, a JSON patch out, made from the pod's raw bytes so that nothing is
// lost that this odi does not know. It adds to environments, mounts the agents'
// files, and says of what it leaves alone why. The webhook, `odi inject` and the
// proofs use the same function.
package instrumentor
