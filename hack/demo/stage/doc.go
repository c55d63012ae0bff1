// Package stage is the cluster that the demo and the end-to-end test play on:
// it applies manifests, waits until what they describe is ready, and reaches
// services inside through the API server's proxy, so that it works with any
// kubeconfig and needs no route into the pod network.
package stage
