// Package trial has the gateway test one Destination: in the gateway's own
// container, with the asker's own rights (as `kubectl exec`), the collector sends
// one marked span, metric and log record through the destination's exporters. What
// the backend answered becomes a Result and the condition Tested. The command line
// asks with its user's rights, the manager where somebody asks by an annotation.
package trial
