// Package pipeline keeps the collectors in line with the Destinations: it
// gathers those that the destination controller found valid, and applies the
// configurations of the gateway and the node collectors and the gateway's
// credentials. All belong to the manager's Deployment and go with it; the
// collectors themselves are the chart's.
//
// A changed configuration or secret does not restart the gateway: its
// collector reloads, so that its queues stay. The manager runs this package.
package pipeline
