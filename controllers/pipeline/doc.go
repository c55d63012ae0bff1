// Package pipeline keeps the collectors in line with the Destinations: it
// gathers those that the destination controller found valid, and applies the
// gateway (Deployment, Service, ConfigMap, Secret) and the node collectors'
// ConfigMap. All belong to the manager's Deployment and go with it.
//
// A changed configuration or secret does not restart the gateway: its
// collector reloads, so that its queues stay. The manager runs this package.
package pipeline
