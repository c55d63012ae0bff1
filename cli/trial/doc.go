// Package trial has the gateway test one Destination: in the gateway's own
// container, with the user's own rights (as `kubectl exec`), the collector sends
// one marked span, metric and log record through the destination's exporters. What
// the backend answered becomes lines for people, an object for programs, and the
// condition Tested. `odi destination test` and `odi destination add --wait` use it.
package trial
